// A child process whose stdout is lines and whose stderr is kept for the report of a failure.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

// Enough for what led to a failure; a peer that logs without end must not fill the memory of the
// test.
const STDERR_BYTES_MAX = 256 * 1024

// A run that is broken off leaves no process behind.
const alive = new Set()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

export class LineProcess {
  constructor(label, program, args, env = process.env) {
    this.label = label
    this.stderr_ = ''
    this.child_ = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
    alive.add(this.child_)
    this.child_.stdin.on('error', () => {})
    this.child_.stderr.on('data', (chunk) => {
      this.stderr_ = (this.stderr_ + chunk).slice(-STDERR_BYTES_MAX)
    })
    // 'close', not 'exit': only then have stdout and stderr been read to their ends.
    this.ended = new Promise((resolve) => {
      this.child_.on('error', (error) => resolve({ code: null, error }))
      this.child_.on('close', (code, signal) => {
        alive.delete(this.child_)
        resolve({ code, signal })
      })
    })
    this.lines = createInterface({ input: this.child_.stdout })
  }

  stderr() {
    return this.stderr_
  }

  write_line(text) {
    this.child_.stdin.write(text + '\n')
  }

  end_input() {
    this.child_.stdin.end()
  }

  kill(signal) {
    this.child_.kill(signal)
  }

  /** The first line of stdout, or an error when the process ends or `ms` pass without one. */
  async first_line(ms) {
    const line = once(this.lines, 'line').then(([text]) => text)
    const end = this.ended.then((how) => {
      throw new Error(`${this.label} ended at once (${told(how)})`)
    })
    return within(ms, `a first line of ${this.label}`, Promise.race([line, end]))
  }

  /** How it ended; it is killed, and an error thrown, when it has not within `ms`. */
  async end(ms) {
    try {
      return await within(ms, `the end of ${this.label}`, this.ended)
    } catch (error) {
      this.kill('SIGKILL')
      await this.ended
      throw error
    }
  }
}

/** Runs a program to its end. Returns { code, stdout, stderr }. */
export async function run(label, program, args, ms, env) {
  const child = new LineProcess(label, program, args, env)
  const stdout = []
  child.lines.on('line', (line) => stdout.push(line))
  child.end_input()
  const how = await child.end(ms)
  if (how.error != null) throw how.error
  return { code: how.code, signal: how.signal, stdout, stderr: child.stderr() }
}

export function told({ code, signal, error }) {
  return error?.message ?? (signal == null ? `exit ${code}` : `signal ${signal}`)
}

/** What `promise` resolves to, or an error when it has not within `ms`. */
export async function within(ms, what, promise) {
  let timer
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
