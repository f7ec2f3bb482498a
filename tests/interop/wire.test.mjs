// Dialling, ping, identify and streams, in both directions.

import assert from 'node:assert/strict'
import { scenario } from './helpers.mjs'

const MIB = 1 << 20

scenario('js dials us and pings us', async (world) => {
  const us = await world.subject()
  const js = await world.js()
  const connection = await js.ask('dial', { peer: us.addr })
  assert.equal(connection.id, us.id)
  for (let i = 0; i < 5; ++i) await js.ping(us.id)
  assert.equal((await js.ask('peers')).length, 1, 'the pings ran over the one connection')
})

scenario('we dial js and ping it, by address and by id', async (world) => {
  const us = await world.subject()
  const js = await world.js()
  await us.connect(js.addr)
  const [connection] = await world.until('js sees our connection', async () => {
    const peers = await js.ask('peers')
    return peers.length > 0 && peers
  })
  assert.equal(connection.id, us.id)
  assert.equal(connection.direction, 'inbound')
  await us.ping(js.addr)
  await us.ping(js.id)
  assert.equal((await js.ask('peers')).length, 1, 'the pings ran over the one connection')
})

scenario(
  'js sees by identify who we are, what we speak and where, and our signed record agrees',
  async (world) => {
    const us = await world.subject()
    const { network, protocols } = await us.about()
    const js = await world.js()
    const seen = await js.ask('identify', { peer: us.addr })
    assert.equal(seen.id, us.id)
    assert.match(seen.agent, /^kith\//)
    for (const protocol of [
      '/ipfs/id/1.0.0',
      '/ipfs/id/push/1.0.0',
      '/ipfs/ping/1.0.0',
      '/meshsub/1.1.0',
      '/ipfs/bitswap/1.2.0',
      `/kith/${network}/kad/1.0.0`
    ]) {
      assert.ok(seen.protocols.includes(protocol), `${protocol} among ${seen.protocols}`)
    }
    assert.deepEqual(
      [...seen.protocols].sort(),
      [...protocols].sort(),
      'we say the same of ourselves'
    )
    assert.ok(seen.addrs.includes(bare(us.addr)), `${us.addr} among ${seen.addrs}`)
    assert.match(seen.observed ?? '', /^\/ip4\/127\.0\.0\.1\/tcp\/\d+/, 'we tell js how we see it')
    assert.ok(seen.record, 'a signed peer record, which js has verified')
    assert.deepEqual(seen.record.addrs.map(bare).sort(), seen.addrs.map(bare).sort())
  }
)

scenario(
  'a peer that proves another id than dialled is refused, by js and by us',
  async (world) => {
    const us = await world.subject()
    const [one, other] = [await world.js(), await world.js()]
    const wrong = (addr, id) => addr.replace(/\/p2p\/.*/, `/p2p/${id}`)
    await assert.rejects(one.ask('dial', { peer: wrong(us.addr, other.id) }))
    await assert.rejects(us.connect(wrong(one.addr, other.id)))
    await us.ping(one.addr)
  }
)

scenario(
  'a protocol that we do not speak is refused, a reset stream hurts no other',
  async (world) => {
    const us = await world.subject({ echo: true })
    const js = await world.js()
    await assert.rejects(
      js.ask('open', { peer: us.addr, protocol: '/nobody/speaks/this/1.0.0' }),
      /UnsupportedProtocol/
    )
    await js.ask('open', { peer: us.addr, protocol: '/echo/1.0.0' })
    await js.echo(us.addr, 2, 1000)
    await js.ping(us.id)
  }
)

scenario('100 echoes of 1 MiB at once, js to us', async (world) => {
  const us = await world.subject({ echo: true })
  const js = await world.js()
  const done = await js.echo(us.addr, 100, MIB)
  assert.deepEqual({ ...done, ms: 0 }, { streams: 100, bytes: MIB, ok: true, ms: 0 })
  await js.ping(us.id)
})

scenario('100 echoes of 1 MiB at once, we to js', async (world) => {
  const us = await world.subject()
  const js = await world.js({ echo: true })
  const { streams, ok } = await us.echo(js.addr, 100, MIB)
  assert.deepEqual({ streams, ok }, { streams: 100, ok: true })
  await us.ping(js.id)
})

scenario('one stream carries more than any window, both ways', async (world) => {
  const us = await world.subject({ echo: true })
  const js = await world.js({ echo: true })
  assert.equal((await js.echo(us.addr, 1, 40 * MIB)).ok, true)
  assert.equal((await us.echo(js.addr, 1, 40 * MIB)).ok, true)
})

scenario('streams of no and of one byte end well, both ways', async (world) => {
  const us = await world.subject({ echo: true })
  const js = await world.js({ echo: true })
  for (const bytes of [0, 1]) {
    assert.equal((await js.echo(us.addr, 3, bytes)).ok, true)
    assert.equal((await us.echo(js.addr, 3, bytes)).ok, true)
  }
})

/** An address without the peer id at its end. */
function bare(addr) {
  return addr.replace(/\/p2p\/[^/]+$/, '')
}
