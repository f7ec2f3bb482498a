// Files: the same CIDs, and each side reads over bitswap what the other added.

import assert from 'node:assert/strict'
import { make_file, scenario, sha256_of } from './helpers.mjs'

const MIB = 1 << 20
const SIZES = [0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 7]
const BIG = 21 * MIB + 7

const helia = { helia: true }

scenario('Helia and we give a file the same CID', async (world) => {
  const us = await world.subject()
  const js = await world.js(helia)
  for (const size of SIZES) {
    const path = world.path(`cid-${size}`)
    await make_file(path, size, `cid ${size}`)
    assert.equal(await us.add_file(path), await js.add_file(path), `of ${size} bytes`)
  }
})

scenario('Helia fetches a file that we added', async (world) => {
  const us = await world.subject()
  const js = await world.js(helia)
  const sha256 = await make_file(world.path('ours'), BIG, 'ours')
  const cid = await us.add_file(world.path('ours'))
  await js.connect(us.addr)
  assert.deepEqual(await js.get_file(cid, world.path('ours-back')), { bytes: BIG, sha256 })
})

scenario('we get a file that Helia added', async (world) => {
  const us = await world.subject()
  const js = await world.js(helia)
  const sha256 = await make_file(world.path('theirs'), BIG, 'theirs')
  const cid = await js.add_file(world.path('theirs'))
  await us.connect(js.addr)
  await us.get_file(cid, world.path('theirs-back'))
  assert.equal(await sha256_of(world.path('theirs-back')), sha256)
})

scenario(
  'a file passes from Helia through us to another Helia that never met the first',
  async (world) => {
    const us = await world.subject()
    const [first, last] = [await world.js(helia), await world.js(helia)]
    const sha256 = await make_file(world.path('passed'), 3 * MIB + 1, 'passed')
    const cid = await first.add_file(world.path('passed'))
    await us.connect(first.addr)
    await us.get_file(cid, world.path('passed-us'))
    await first.stop()
    await last.connect(us.addr)
    assert.deepEqual(await last.get_file(cid, world.path('passed-last')), {
      bytes: 3 * MIB + 1,
      sha256
    })
  }
)

scenario('Helia finds us by the provider record alone and fetches the file', async (world) => {
  const us = await world.subject()
  const middle = await world.js({ kad: true })
  await us.connect(middle.addr)
  await world.until('the js peer in the middle has us in its table', async () =>
    (await middle.ask('routing_table')).includes(us.id)
  )
  const sha256 = await make_file(world.path('found'), 2 * MIB + 1, 'found')
  const cid = await us.add_file(world.path('found'))
  const js = await world.js({ ...helia, kad: true })
  await js.connect(middle.addr)
  await world.until('the record is found', async () =>
    (await js.find_providers(cid)).includes(us.id)
  )
  assert.deepEqual(await js.get_file(cid, world.path('found-back')), { bytes: 2 * MIB + 1, sha256 })
})

scenario('four Helia peers fetch the same file from us at once', async (world) => {
  const us = await world.subject()
  const sha256 = await make_file(world.path('shared'), 5 * MIB, 'shared')
  const cid = await us.add_file(world.path('shared'))
  const peers = await Promise.all([1, 2, 3, 4].map(() => world.js(helia)))
  const got = await Promise.all(
    peers.map(async (peer, index) => {
      await peer.connect(us.addr)
      return peer.get_file(cid, world.path(`shared-${index}`))
    })
  )
  for (const one of got) assert.deepEqual(one, { bytes: 5 * MIB, sha256 })
})
