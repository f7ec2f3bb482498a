// Kademlia: lookups, provider records and values, with js in each of the three roles.

import assert from 'node:assert/strict'
import { make_file, scenario } from './helpers.mjs'

// A CID of a raw block: what is provided here is only its record.
const SOME_CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

// A valid peer id whose owner no test starts.
const NOBODY = '12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba'

const kad = { kad: true }

scenario('js finds through us a peer that it has never met', async (world) => {
  const us = await world.subject()
  const [wanted, asker] = [await world.js(kad), await world.js(kad)]
  await wanted.connect(us.addr)
  await asker.connect(us.addr)
  await found_at(world, asker, wanted)
})

scenario('we find through js a peer that we have never met', async (world) => {
  const us = await world.subject()
  const [middle, wanted] = [await world.js(kad), await world.js(kad)]
  await wanted.connect(middle.addr)
  await us.connect(middle.addr)
  await found_at(world, us, wanted)
})

scenario('js finds one of ours through another of ours', async (world) => {
  const [middle, wanted] = [await world.subject(), await world.subject()]
  const asker = await world.js(kad)
  await wanted.connect(middle.addr)
  await asker.connect(middle.addr)
  await found_at(world, asker, wanted)
})

scenario(
  'a peer that is nowhere is not found, on both sides, before the deadline',
  async (world) => {
    const us = await world.subject()
    const js = await world.js(kad)
    await js.connect(us.addr)
    await world.until('we know each other', async () =>
      (await js.ask('routing_table')).includes(us.id)
    )
    const addrs = async (peer) => {
      try {
        return await peer.find_peer(NOBODY)
      } catch {
        return []
      }
    }
    assert.deepEqual(await addrs(js), [])
    assert.deepEqual(await addrs(us), [])
    await us.ping(js.id)
  }
)

scenario(
  'js finds that we provide a file that we added, asking us and asking a js peer that we told',
  async (world) => {
    const us = await world.subject()
    const told = await world.js(kad)
    await us.connect(told.addr)
    await world.until('the js peer has us in its table', async () =>
      (await told.ask('routing_table')).includes(us.id)
    )
    await make_file(world.path('provided'), 100_000, 'provided')
    const cid = await us.add_file(world.path('provided'))

    const asks_us = await world.js(kad)
    await asks_us.connect(us.addr)
    await world.until('who asks us finds us', async () =>
      (await asks_us.find_providers(cid)).includes(us.id)
    )
    const asks_told = await world.js(kad)
    await asks_told.connect(told.addr)
    await world.until('who asks the one that we told finds us', async () =>
      (await asks_told.find_providers(cid)).includes(us.id)
    )
  }
)

scenario('we keep the provider record of a js peer and hand it to another', async (world) => {
  const us = await world.subject()
  const [provider, asker] = [await world.js(kad), await world.js(kad)]
  await provider.connect(us.addr)
  await world.until('the provider has us in its table', async () =>
    (await provider.ask('routing_table')).includes(us.id)
  )
  await world.until(
    'it has told somebody',
    async () => (await provider.ask('provide', { cid: SOME_CID })).told > 0
  )
  await asker.connect(us.addr)
  await world.until('the asker finds it', async () =>
    (await asker.find_providers(SOME_CID)).includes(provider.id)
  )
})

scenario('we find the provider of what a js peer announced to another js peer', async (world) => {
  const us = await world.subject()
  const [middle, provider] = [await world.js(kad), await world.js(kad)]
  await provider.connect(middle.addr)
  await world.until('the provider knows the one in the middle', async () =>
    (await provider.ask('routing_table')).includes(middle.id)
  )
  await world.until(
    'it has told somebody',
    async () => (await provider.ask('provide', { cid: SOME_CID })).told > 0
  )
  await us.connect(middle.addr)
  await world.until('we find it', async () =>
    (await us.find_providers(SOME_CID)).includes(provider.id)
  )
})

scenario(
  'we keep a value that js put, after checking it, and refuse one that does not fit its key',
  async (world) => {
    const us = await world.subject()
    const [writer, reader] = [await world.js(kad), await world.js(kad)]
    await writer.connect(us.addr)
    await world.until('the writer has us in its table', async () =>
      (await writer.ask('routing_table')).includes(us.id)
    )
    // Public-key records are what every implementation validates: the key names the value's hash.
    const [right, wrong] = [public_key_record(writer.id), public_key_record(reader.id)]
    await world.until('we have stored it', async () => (await writer.ask('put', right)).stored > 0)
    await reader.connect(us.addr)
    const value = await world.until('the reader gets it', () =>
      reader.ask('get', { key: right.key })
    )
    assert.equal(value, right.value)
    assert.equal((await writer.ask('put', { key: right.key, value: wrong.value })).stored, 0)
    assert.equal(await reader.ask('get', { key: right.key }), right.value)
  }
)

async function found_at(world, asker, wanted) {
  const addrs = await world.until(`${asker.label} finds ${wanted.label}`, async () => {
    const found = await asker.find_peer(wanted.id)
    return found.length > 0 && found
  })
  const at = wanted.addr.replace(/\/p2p\/.*/, '')
  assert.ok(
    addrs.some((addr) => addr.startsWith(at)),
    `${at} among ${addrs}`
  )
}

/** The record "/pk/<peer id>" of an Ed25519 peer: its id spells the key out after two bytes. */
function public_key_record(id) {
  const multihash = base58(id)
  return {
    key: Buffer.concat([Buffer.from('/pk/'), multihash]).toString('base64'),
    value: multihash.subarray(2).toString('base64')
  }
}

function base58(text) {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let number = 0n
  for (const letter of text) number = number * 58n + BigInt(alphabet.indexOf(letter))
  return Buffer.from(number.toString(16).padStart(38 * 2, '0'), 'hex')
}
