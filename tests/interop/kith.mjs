// A handle on a Kith daemon: `kith run` in a home folder of its own, asked through the command
// line.

import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LineProcess, run, told } from './process.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAM = process.env.KITH_BIN ?? join(ROOT, 'build/release/bin/kith')

const READY_MS = 20_000
const COMMAND_MS = 30_000
const LONG_COMMAND_MS = 90_000
const STOP_MS = 15_000

const COMMAND_SHOWN_CHARS = 120

export class Kith {
  constructor(label, folder) {
    this.label = label
    this.home = join(folder, label)
    this.subscriptions_ = new Map()
    this.commands_ = ''
  }

  /** options: echo (serve /echo/1.0.0), bootstrap [multiaddr]. */
  async start(options = {}) {
    await mkdir(this.home, { mode: 0o700 })
    // No setting of the person who runs the tests may leak into a daemon.
    this.env_ = { ...process.env, HOME: this.home, KITH_HOME: this.home }
    for (const name of Object.keys(this.env_)) if (name.startsWith('XDG_')) delete this.env_[name]
    const args = ['run', '--home', this.home, '--listen', '/ip4/127.0.0.1/tcp/0', '--json']
    for (const addr of options.bootstrap ?? []) args.push('--bootstrap', addr)
    const env = options.echo ? { ...this.env_, KITH_TEST_ECHO: '1' } : this.env_
    this.daemon_ = new LineProcess(this.label, PROGRAM, args, env)
    const ready = JSON.parse(await this.daemon_.first_line(READY_MS))
    assert.equal(ready.schema, 1, 'the ready line has a schema')
    assert.equal(ready.event, 'ready')
    this.id = ready.id
    this.addrs = ready.addrs
    return this
  }

  /** An address to dial it at, its peer id included. */
  get addr() {
    const addr = this.addrs.find((text) => text.startsWith('/ip4/127.0.0.1/tcp/'))
    assert.ok(addr, `a loopback address among ${this.addrs}`)
    return addr.includes('/p2p/') ? addr : `${addr}/p2p/${this.id}`
  }

  stderr() {
    return (this.daemon_?.stderr() ?? '') + this.commands_
  }

  /** Runs a command; its last line of stdout is one JSON object. */
  async command(args, ms = COMMAND_MS) {
    const label = `kith ${args.join(' ')}`.slice(0, COMMAND_SHOWN_CHARS)
    const { stdout, stderr, ...how } = await run(
      label,
      PROGRAM,
      ['--home', this.home, ...args, '--json'],
      ms,
      this.env_
    )
    this.commands_ += `$ ${label}\n${stderr}`
    if (how.code !== 0) throw new Error(`${label}: ${told(how)}\n${stderr}`)
    if (stdout.length === 0) return null
    const object = JSON.parse(stdout.at(-1))
    assert.equal(object.schema, 1, `${label} has a schema`)
    return object
  }

  async stop() {
    if (this.daemon_ == null) return
    for (const { child } of this.subscriptions_.values()) {
      child.kill('SIGTERM')
      await child.end(STOP_MS)
    }
    this.daemon_.kill('SIGTERM')
    const how = await this.daemon_.end(STOP_MS)
    if (how.code !== 0) throw new Error(`${this.label} ended with ${told(how)} on SIGTERM`)
  }

  // What a js peer can be asked as well.

  about() {
    return this.command(['id'])
  }

  connect(addr) {
    return this.command(['peer', 'connect', addr])
  }

  ping(peer) {
    return this.command(['peer', 'ping', peer])
  }

  echo(addr, streams, bytes) {
    return this.command(
      ['peer', 'echo', addr, '--streams', `${streams}`, '--bytes', `${bytes}`],
      LONG_COMMAND_MS
    )
  }

  async subscribe(topic) {
    const label = `${this.label} topic sub`
    const child = new LineProcess(
      label,
      PROGRAM,
      ['--home', this.home, 'topic', 'sub', topic, '--json'],
      this.env_
    )
    const messages = []
    child.lines.on('line', (line) => messages.push(JSON.parse(line)))
    child.ended.then((how) => {
      this.commands_ += `$ ${label}: ${told(how)}\n${child.stderr()}`
    })
    this.subscriptions_.set(topic, { child, messages })
  }

  publish(topic, text) {
    return this.command(['topic', 'pub', topic, text])
  }

  async messages(topic) {
    return this.subscriptions_.get(topic).messages.filter((message) => 'data' in message)
  }

  async find_peer(id) {
    return (await this.command(['dht', 'find', id])).addrs
  }

  async find_providers(cid) {
    return (await this.command(['dht', 'providers', cid])).providers.map(({ id }) => id)
  }

  async add_file(path) {
    return (await this.command(['file', 'add', '--public', path], LONG_COMMAND_MS)).cid
  }

  get_file(cid, out) {
    return this.command(['file', 'get', cid, '--out', out], LONG_COMMAND_MS)
  }
}
