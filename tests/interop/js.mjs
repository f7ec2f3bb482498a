// A handle on a js-libp2p peer process (peer.mjs). It offers what the handle on a Kith daemon
// offers (kith.mjs), so that each scenario also runs with js in Kith's place, and `ask` for all
// else.

import { fileURLToPath } from 'node:url'
import { LineProcess } from './process.mjs'

const PEER = fileURLToPath(new URL('peer.mjs', import.meta.url))
const ASK_MS = 30_000
const ECHO_MS = 90_000
const STOP_MS = 10_000

export class Js {
  constructor(label, network) {
    this.label = label
    this.network_ = network
    this.next_ = 1
    this.waiting_ = new Map()
    this.process_ = new LineProcess(label, process.execPath, [PEER])
    this.process_.lines.on('line', (line) => this.on_answer(JSON.parse(line)))
    this.process_.ended.then(() => this.on_end())
  }

  async start(options) {
    const { id, addrs } = await this.ask('start', options)
    this.id = id
    this.addrs = addrs
    return this
  }

  /** An address to dial it at, its peer id included. */
  get addr() {
    return this.addrs[0]
  }

  stderr() {
    return this.process_.stderr()
  }

  ask(name, args = {}, ms = ASK_MS) {
    const n = this.next_++
    return new Promise((resolve, reject) => {
      this.waiting_.set(n, { resolve, reject })
      this.process_.write_line(JSON.stringify({ n, do: name, ms, ...args }))
    })
  }

  on_answer({ n, ok, result, error }) {
    const { resolve, reject } = this.waiting_.get(n)
    this.waiting_.delete(n)
    if (ok) resolve(result)
    else reject(new Error(`${this.label}: ${error}`))
  }

  on_end() {
    for (const { reject } of this.waiting_.values()) reject(new Error(`${this.label} has ended`))
    this.waiting_.clear()
  }

  async stop() {
    this.process_.end_input()
    await this.process_.end(STOP_MS)
  }

  // What a Kith daemon can be asked as well.

  async about() {
    return { ...(await this.ask('id')), network: this.network_ }
  }

  connect(addr) {
    return this.ask('dial', { peer: addr })
  }

  ping(peer) {
    return this.ask('ping', { peer })
  }

  echo(addr, streams, bytes) {
    return this.ask('echo', { peer: addr, streams, bytes }, ECHO_MS)
  }

  subscribe(topic) {
    return this.ask('subscribe', { topic })
  }

  publish(topic, text) {
    return this.ask('publish', { topic, data: Buffer.from(text).toString('base64') })
  }

  messages(topic) {
    return this.ask('messages', { topic })
  }

  /** The addresses of a peer, found by Kademlia. */
  async find_peer(id) {
    const found = await this.ask('find_peer', { peer: id })
    return found?.addrs ?? []
  }

  /** The ids of the peers that say they have a CID. */
  async find_providers(cid) {
    return (await this.ask('find_providers', { cid })).map(({ id }) => id)
  }

  /** Makes a file readable by anyone and announces that it is here; returns its CID. */
  async add_file(path) {
    const { cid } = await this.ask('file_add', { path }, ECHO_MS)
    if (this.network_ != null) await this.ask('provide', { cid }).catch(() => {})
    return cid
  }

  get_file(cid, out) {
    return this.ask('file_get', { cid, out }, ECHO_MS)
  }
}
