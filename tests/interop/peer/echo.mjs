// The echo protocol: what one side writes comes back, and the end of writing is answered by the end
// of writing.

import { createHash } from 'node:crypto'
import { ECHO, ECHO_STREAMS_MAX } from './node.mjs'

const WRITE_BYTES = 64 * 1024

const limits = { maxInboundStreams: ECHO_STREAMS_MAX, maxOutboundStreams: ECHO_STREAMS_MAX }

export async function serve_echo(libp2p) {
  await libp2p.handle(
    ECHO,
    async (stream) => {
      try {
        for await (const chunk of stream) {
          if (!stream.send(chunk)) await stream.onDrain()
        }
        await stream.close()
      } catch (error) {
        stream.abort(error)
      }
    },
    limits
  )
}

/** Opens all the streams before any of them writes, so that they are open at once. */
export async function echo_many(libp2p, peer, streams, bytes, signal) {
  const connection = await libp2p.dial(peer, { signal })
  const opened = await Promise.all(
    Array.from({ length: streams }, () => connection.newStream(ECHO, { signal, ...limits }))
  )
  const begun = performance.now()
  await Promise.all(opened.map((stream, index) => echo_one(stream, index, bytes, signal)))
  return { streams, bytes, ok: true, ms: performance.now() - begun }
}

async function echo_one(stream, index, bytes, signal) {
  signal.addEventListener('abort', () => stream.abort(signal.reason), { once: true })
  const sent = createHash('sha256')
  const back = createHash('sha256')
  const reading = (async () => {
    let count = 0
    for await (const chunk of stream) {
      for (const part of chunk) back.update(part)
      count += chunk.byteLength
    }
    return count
  })()
  await write_all(stream, index, bytes, sent, signal)
  const count = await reading
  if (count !== bytes) throw new Error(`stream ${index}: ${count} of ${bytes} bytes came back`)
  if (sent.digest('hex') !== back.digest('hex'))
    throw new Error(`stream ${index}: other bytes came back`)
}

async function write_all(stream, index, bytes, hash, signal) {
  for (let done = 0; done < bytes; done += WRITE_BYTES) {
    const chunk = pattern(index, done, Math.min(WRITE_BYTES, bytes - done))
    hash.update(chunk)
    if (!stream.send(chunk)) await stream.onDrain({ signal })
  }
  await stream.close({ signal })
}

/** Bytes that tell the stream and the place in it, so that mixed-up streams are noticed. */
function pattern(index, offset, length) {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let i = 0; i < words.length; ++i)
    words[i] = Math.imul(index * 0x9e3779b1 + offset + i, 0x85ebca6b)
  return new Uint8Array(words.buffer, 0, length)
}
