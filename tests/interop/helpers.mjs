// What the tests share: a world of peers that lives as long as one test, waiting without fixed
// sleeps, files.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Js } from './js.mjs'
import { Kith } from './kith.mjs'
import { within } from './process.mjs'

const SCENARIO_MS = 120_000
const UNTIL_MS = 30_000
const POLL_MS = 50
const STDERR_TAIL_LINES = 60
const STDERR_LINE_CHARS = 400

// The js-js run has no daemon to name the network.
const SELF_NETWORK = 'self-00000000'

const subject_is_js = process.env.INTEROP_SUBJECT === 'js'

/** Whether the peer under test is js-libp2p itself, in the run that proves the tests. */
export const self_test = subject_is_js

/** One test with a world of its own. A failure carries the end of what each peer said on stderr. */
export function scenario(name, run) {
  test(name, async () => {
    const world = await World.make()
    let failure = null
    try {
      await within(SCENARIO_MS, 'the end of the test', run(world))
    } catch (error) {
      failure = error
      failure.message += world.testimony()
    }
    const unclean = await world.close()
    if (failure != null) throw failure
    if (unclean.length > 0) throw new Error(unclean.join('\n') + world.testimony())
  })
}

class World {
  static async make() {
    const world = new World()
    world.folder = await mkdtemp(join(tmpdir(), 'kith-io-'))
    world.peers_ = []
    world.network_ = null
    return world
  }

  /** The peer under test: a Kith daemon, or js-libp2p in the self test. options: echo, files. */
  async subject(options = {}) {
    const peer = subject_is_js ? await this.js_subject(options) : await this.kith(options)
    this.network_ ??= (await peer.about()).network
    return peer
  }

  /** A peer that we did not write. options: as in peer/node.mjs, and kad: true for our network. */
  async js(options = {}) {
    if (options.kad === true && this.network_ == null) throw new Error('start a subject first')
    const kad = options.kad === true ? kad_protocol(this.network_) : undefined
    return this.keep(new Js(this.label('js'))).start({ ...options, kad })
  }

  async js_subject(options) {
    const all = {
      kad: kad_protocol(SELF_NETWORK),
      gossip: {},
      helia: true,
      agent: 'kith/self-test'
    }
    return this.keep(new Js(this.label('subject'), SELF_NETWORK)).start({ ...all, ...options })
  }

  async kith(options) {
    return this.keep(new Kith(this.label('kith'), this.folder)).start(options)
  }

  /** A path of this test's folder. */
  path(name) {
    return join(this.folder, name)
  }

  /** Polls until `condition` answers something truthy and returns that. It may throw until then. */
  async until(what, condition, ms = UNTIL_MS) {
    const end = performance.now() + ms
    let last
    while (performance.now() < end) {
      try {
        const value = await condition()
        if (value) return value
        last = undefined
      } catch (error) {
        last = error
      }
      await delay(POLL_MS)
    }
    const why = last == null ? '' : `; the last try said: ${last.message}`
    throw new Error(`not within ${ms} ms: ${what}${why}`)
  }

  label(kind) {
    return `${kind}${this.peers_.length}`
  }

  keep(peer) {
    this.peers_.push(peer)
    return peer
  }

  testimony() {
    return this.peers_
      .map((peer) => {
        const lines = peer.stderr().trimEnd().split('\n').slice(-STDERR_TAIL_LINES)
        const tail = lines.map((line) => line.slice(0, STDERR_LINE_CHARS)).join('\n')
        const who = `${peer.label} ${peer.id ?? '(not started)'}`
        return `\n--- ${who}, stderr:\n${tail === '' ? '(nothing)' : tail}`
      })
      .join('')
  }

  /** Stops every peer. Returns what went wrong in it: a daemon must end cleanly on SIGTERM. */
  async close() {
    const ends = await Promise.allSettled(this.peers_.map((peer) => peer.stop()))
    await rm(this.folder, { recursive: true, force: true })
    return ends.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.message)
  }
}

function kad_protocol(network) {
  return `/kith/${network}/kad/1.0.0`
}

/** Writes a file of `bytes` bytes that do not repeat, and returns its SHA-256 in hex. */
export async function make_file(path, bytes, seed) {
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  try {
    let block = createHash('sha256').update(seed).digest()
    for (let left = bytes; left > 0;) {
      const parts = []
      for (let i = 0; i < 2048; ++i)
        parts.push((block = createHash('sha256').update(block).digest()))
      const chunk = Buffer.concat(parts).subarray(0, left)
      hash.update(chunk)
      await file.write(chunk)
      left -= chunk.length
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

export async function sha256_of(path) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}
