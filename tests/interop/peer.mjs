// A js-libp2p peer as a process. One JSON object a line on stdin is a command, one a line on stdout
// its answer:
//   {"n":1,"do":"start","listen":[...],"kad":"/kith/.../kad/1.0.0","gossip":{},"helia":true}
//   {"n":1,"ok":true,"result":{"id":"12D3...","addrs":[...]}}
//   {"n":1,"ok":false,"error":"..."}
// Commands run side by side and answer in the order in which they end. Bytes travel in base64. Any
// command takes "ms", its total deadline. The end of stdin ends the process.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { unixfs } from '@helia/unixfs'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { echo_many, serve_echo } from './peer/echo.mjs'
import { GossipProbe } from './peer/gossip_probe.mjs'
import { start_node } from './peer/node.mjs'

const DEFAULT_DEADLINE_MS = 30_000

let node = null
let probe = null
const identities = new Map()

const base64 = (bytes) => Buffer.from(bytes).toString('base64')
const bytes_of = (text) => new Uint8Array(Buffer.from(text, 'base64'))

/** A peer id or a multiaddr, as text. */
const target_of = (text) => (text.startsWith('/') ? multiaddr(text) : peerIdFromString(text))

const peer_info = ({ id, multiaddrs }) => ({ id: id.toString(), addrs: multiaddrs.map(String) })

const about = () => ({
  id: node.libp2p.peerId.toString(),
  addrs: node.libp2p.getMultiaddrs().map(String),
  protocols: node.libp2p.getProtocols()
})

async function started(args) {
  if (node != null) throw new Error('already started')
  const privateKey = args.key == null ? undefined : privateKeyFromProtobuf(bytes_of(args.key))
  node = await start_node({ ...args, privateKey })
  node.libp2p.addEventListener('peer:identify', ({ detail }) =>
    identities.set(detail.peerId.toString(), detail)
  )
  if (args.gossip != null) probe = new GossipProbe(node.libp2p.services.gossip)
  if (args.echo) await serve_echo(node.libp2p)
  return about()
}

/** What identify told of a peer when we connected, or has told since by push. */
async function identified({ peer, signal }) {
  const connection = await node.libp2p.dial(target_of(peer), { signal })
  const id = connection.remotePeer.toString()
  while (!identities.has(id)) await once(node.libp2p, 'peer:identify', { signal })
  const seen = identities.get(id)
  const record = seen.signedPeerRecord
  return {
    id,
    agent: seen.agentVersion,
    protocolVersion: seen.protocolVersion,
    protocols: seen.protocols,
    addrs: seen.listenAddrs.map(String),
    observed: seen.observedAddr?.toString(),
    record:
      record == null ? null : { addrs: record.addresses.map(String), seq: record.seq.toString() }
  }
}

/** The peers that a Kademlia query ended with, by the kind of event that carries them. */
async function query(events, pick) {
  const found = new Map()
  for await (const event of events) {
    for (const peer of pick(event)) found.set(peer.id.toString(), peer_info(peer))
  }
  return [...found.values()]
}

async function value_of({ key, signal }) {
  for await (const event of node.libp2p.services.kad.get(bytes_of(key), { signal })) {
    if (event.name === 'VALUE') return base64(event.value)
  }
  throw new Error('no value')
}

/** Puts a value; answers how many peers echoed it, which is how PUT_VALUE says yes. */
async function value_put({ key, value, signal }) {
  let stored = 0
  for await (const event of node.libp2p.services.kad.put(bytes_of(key), bytes_of(value), {
    signal
  })) {
    if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') ++stored
  }
  return { stored }
}

async function provided({ cid, signal }) {
  let told = 0
  for await (const event of node.libp2p.services.kad.provide(CID.parse(cid), { signal })) {
    if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') ++told
  }
  return { told }
}

async function file_added({ path }) {
  const cid = await unixfs(node.helia).addByteStream(
    createReadStream(path, { highWaterMark: 1 << 20 })
  )
  return { cid: cid.toString() }
}

async function file_got({ cid, out, signal }) {
  const hash = createHash('sha256')
  let bytes = 0
  async function* counted() {
    for await (const chunk of unixfs(node.helia).cat(CID.parse(cid), { signal })) {
      hash.update(chunk)
      bytes += chunk.length
      yield chunk
    }
  }
  await pipeline(counted, createWriteStream(out), { signal })
  return { bytes, sha256: hash.digest('hex') }
}

const commands = {
  start: started,
  id: about,
  dial: async ({ peer, signal }) =>
    peer_info_of(await node.libp2p.dial(target_of(peer), { signal })),
  hangup: ({ peer }) => node.libp2p.hangUp(target_of(peer)),
  peers: () => node.libp2p.getConnections().map(peer_info_of),
  ping: async ({ peer, signal }) => ({
    ms: await node.libp2p.services.ping.ping(target_of(peer), { signal })
  }),
  identify: identified,
  open: async ({ peer, protocol, signal }) => {
    const stream = await node.libp2p.dialProtocol(target_of(peer), protocol, { signal })
    stream.abort(new Error('reset on purpose'))
    return { protocol: stream.protocol }
  },
  echo: ({ peer, streams, bytes, signal }) =>
    echo_many(node.libp2p, target_of(peer), streams, bytes, signal),

  subscribe: ({ topic }) => node.libp2p.services.gossip.subscribe(topic),
  unsubscribe: ({ topic }) => node.libp2p.services.gossip.unsubscribe(topic),
  publish: ({ topic, data }) => probe.publish(topic, bytes_of(data)),
  messages: ({ topic }) => probe.messages(topic),
  mesh: ({ topic }) => probe.mesh(topic),
  controls: () => probe.controls(),

  find_peer: async ({ peer, signal }) => {
    const options = { signal }
    const found = await query(
      node.libp2p.services.kad.findPeer(peerIdFromString(peer), options),
      (event) => (event.name === 'FINAL_PEER' ? [event.peer] : [])
    )
    return found.find(({ id }) => id === peer) ?? null
  },
  find_providers: ({ cid, signal }) =>
    query(node.libp2p.services.kad.findProviders(CID.parse(cid), { signal }), (event) =>
      event.name === 'PROVIDER' ? event.providers : []
    ),
  routing_table: () =>
    [...node.libp2p.services.kad.routingTable.kb.toIterable()].map(({ peerId }) =>
      peerId.toString()
    ),
  provide: provided,
  put: value_put,
  get: value_of,

  file_add: file_added,
  file_get: file_got
}

function peer_info_of(connection) {
  return {
    id: connection.remotePeer.toString(),
    addr: connection.remoteAddr.toString(),
    direction: connection.direction
  }
}

async function answer(line) {
  let n = null
  try {
    const { n: number, do: name, ms = DEFAULT_DEADLINE_MS, ...args } = JSON.parse(line)
    n = number
    if (!Object.hasOwn(commands, name)) throw new Error(`no command ${name}`)
    const result = await commands[name]({ ...args, signal: AbortSignal.timeout(ms) })
    say({ n, ok: true, result: result ?? null })
  } catch (error) {
    say({ n, ok: false, error: `${error.name}: ${error.message}` })
  }
}

function say(object) {
  process.stdout.write(JSON.stringify(object) + '\n')
}

const lines = createInterface({ input: process.stdin })
lines.on('line', answer)
lines.on('close', async () => {
  await node?.stop()
  process.exit(0)
})
