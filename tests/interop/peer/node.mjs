// One js-libp2p node, with or without Helia, from a plain options object. It talks to the peers
// that it is told to dial and to those that Kademlia finds through them, and to nobody else: no
// bootstrap list, no mDNS, no HTTP gateway, no delegated routing.

import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createHeliaLight } from 'helia'
import { createLibp2p } from 'libp2p'

export const ECHO = '/echo/1.0.0'

// 100 echoes at once pass js-libp2p's own limits of 32 inbound and 64 outbound streams of one
// protocol.
export const ECHO_STREAMS_MAX = 256

// A test starts many peers on one address: js-libp2p's guards against dial floods from one host are
// not its subject.
const CONNECTIONS_PER_SECOND_MAX = 1000

/** A gossipsub message's id as in go-libp2p: its author's id, then its 8-byte sequence number. */
export function message_id(message) {
  const from = message.from.toMultihash().bytes
  const id = new Uint8Array(from.length + 8)
  id.set(from)
  new DataView(id.buffer).setBigUint64(from.length, message.sequenceNumber)
  return id
}

/**
 * options: listen [multiaddr text], privateKey, kad protocol name or null, kadClient, gossip
 * gossipsub options or null, helia true or false, agent text.
 * Returns { libp2p, helia or null, stop() }, started.
 */
export async function start_node(options) {
  const init = libp2p_options(options)
  if (!options.helia) {
    const libp2p = await createLibp2p(init)
    return { libp2p, helia: null, stop: () => libp2p.stop() }
  }
  const helia = withBitswap(withLibp2pLight(createHeliaLight(), init))
  await helia.start()
  return { libp2p: helia.libp2p, helia, stop: () => helia.stop() }
}

function libp2p_options(options) {
  const services = {
    identify: identify(),
    identifyPush: identifyPush(),
    ping: ping()
  }
  if (options.kad != null) {
    services.kad = kadDHT({
      protocol: options.kad,
      clientMode: options.kadClient === true,
      peerInfoMapper: passthroughMapper,
      initialQuerySelfInterval: 100,
      allowQueryWithZeroPeers: true
    })
  }
  if (options.gossip != null) {
    services.gossip = gossipsub({ msgIdFn: message_id, ...options.gossip })
  }
  return {
    privateKey: options.privateKey,
    nodeInfo: options.agent == null ? undefined : { userAgent: options.agent },
    addresses: { listen: options.listen ?? ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxEarlyStreams: ECHO_STREAMS_MAX })],
    connectionManager: {
      inboundConnectionThreshold: CONNECTIONS_PER_SECOND_MAX,
      maxIncomingPendingConnections: CONNECTIONS_PER_SECOND_MAX
    },
    services
  }
}
