// Gossipsub: one mesh of three of ours and three js peers, and both ends of IHAVE and IWANT.

import assert from 'node:assert/strict'
import { scenario } from './helpers.mjs'

// Below, at and above what one packet, one IDONTWANT threshold and one Noise frame carry; the last
// is near the 60 KiB that Kith's messages are bounded by.
const SIZES = [1, 511, 1024, 20_000, 60_000]

// A js peer whose mesh is full with one peer: it answers the GRAFT of whoever dials it next with
// PRUNE, and from then on the two have only gossip (IHAVE and IWANT) between them.
const MESH_OF_ONE = { D: 1, Dlo: 1, Dhi: 1, Dscore: 1, Dout: 0 }
const MESH_OF_NONE = { D: 0, Dlo: 0, Dhi: 0, Dscore: 0, Dout: 0 }

scenario(
  'one mesh of three of ours and three js peers carries every message to all, once, under one id',
  async (world) => {
    const topic = 'interop/mesh'
    const ours = [await world.subject(), await world.subject(), await world.subject()]
    const theirs = [
      await world.js({ gossip: {} }),
      await world.js({ gossip: {} }),
      await world.js({ gossip: {} })
    ]
    const all = [...ours, ...theirs]
    for (const peer of all) await peer.subscribe(topic)
    // A ring in which ours and theirs alternate, each dialling the next: any message crosses both
    // several times.
    const ring = [ours[0], theirs[0], ours[1], theirs[1], ours[2], theirs[2]]
    for (let i = 0; i < ring.length; ++i) await ring[i].connect(ring[(i + 1) % ring.length].addr)
    for (let i = 1; i < ring.length; i += 2) {
      const neighbours = [ring[i - 1].id, ring[(i + 1) % ring.length].id]
      await world.until(`js peer ${ring[i].id} has both neighbours in its mesh`, async () => {
        const { mesh } = await ring[i].ask('mesh', { topic })
        return neighbours.every((id) => mesh.includes(id))
      })
    }

    const sent = new Map()
    for (const [index, peer] of all.entries()) {
      for (const size of SIZES) {
        const text = text_of(index, size)
        sent.set(text, peer.id)
        await peer.publish(topic, text)
      }
    }
    for (const peer of all) {
      const expected = [...sent].filter(([, from]) => from !== peer.id).length
      await world.until(
        `${peer.label} hears all ${expected} messages of the others`,
        async () => (await from_others(peer, topic)).length >= expected
      )
    }
    const ids = new Map()
    for (const peer of all) {
      const heard = await from_others(peer, topic)
      assert.equal(
        new Set(heard.map(({ data }) => data)).size,
        heard.length,
        `${peer.label} heard each message once`
      )
      for (const message of heard) {
        const text = Buffer.from(message.data, 'base64').toString()
        assert.equal(message.topic, topic)
        assert.equal(
          message.from,
          sent.get(text),
          `${peer.label} names the author of ${text.slice(0, 20)}`
        )
        if (message.id != null) note_id(ids, text, message.id)
      }
    }
    for (const [text, seen] of ids)
      assert.equal(seen.size, 1, `the peers agree on the id of ${text.slice(0, 20)}`)
    assert.equal(ids.size, sent.size)
  }
)

scenario('js asks us by IWANT for what our IHAVE offered, and gets it', async (world) => {
  const topic = 'interop/iwant/ours'
  const us = await world.subject()
  const author = await world.js({ gossip: {} })
  const asker = await world.js({ gossip: MESH_OF_NONE })
  for (const peer of [us, author, asker]) await peer.subscribe(topic)
  await author.connect(us.addr)
  await us.connect(asker.addr)
  await world.until('the author has us in its mesh', async () =>
    (await author.ask('mesh', { topic })).mesh.includes(us.id)
  )
  await world.until(
    'the asker has refused our GRAFT',
    async () => (await asker.ask('controls')).sent[us.id]?.prune > 0
  )

  const texts = await publish_until(
    world,
    author,
    topic,
    asker,
    async () => (await asker.ask('controls')).sent[us.id].iwant > 0
  )
  const heard = await asker.messages(topic)
  assert.deepEqual(
    heard.map(({ data }) => Buffer.from(data, 'base64').toString()),
    texts
  )
  assert.ok(
    heard.every(({ via }) => via === us.id),
    'all came from us'
  )
  assert.ok((await asker.ask('controls')).received[us.id].ihave > 0)
  assert.deepEqual((await asker.ask('mesh', { topic })).mesh, [], 'we were never in its mesh')
})

scenario('we ask js by IWANT for what its IHAVE offered, and get it', async (world) => {
  const topic = 'interop/iwant/theirs'
  const us = await world.subject()
  const author = await world.js({ gossip: {} })
  const middle = await world.js({ gossip: MESH_OF_ONE })
  for (const peer of [us, author, middle]) await peer.subscribe(topic)
  await middle.connect(author.addr)
  await world.until('the mesh of the js peer is full', async () =>
    (await middle.ask('mesh', { topic })).mesh.includes(author.id)
  )
  await us.connect(middle.addr)
  await world.until(
    'it has refused our GRAFT',
    async () => (await middle.ask('controls')).sent[us.id]?.prune > 0
  )

  await publish_until(
    world,
    author,
    topic,
    us,
    async () => (await middle.ask('controls')).received[us.id].iwant > 0
  )
  assert.deepEqual(
    (await middle.ask('mesh', { topic })).mesh,
    [author.id],
    'we were never in its mesh'
  )
})

scenario(
  'a js peer that unsubscribes and subscribes again comes back into the mesh',
  async (world) => {
    const topic = 'interop/again'
    const us = await world.subject()
    const js = await world.js({ gossip: { unsubcribeBackoff: 1000 } })
    for (const peer of [us, js]) await peer.subscribe(topic)
    await js.connect(us.addr)
    const in_mesh = async () => (await js.ask('mesh', { topic })).mesh.includes(us.id)
    const heard = async (text) =>
      (await js.messages(topic)).some(({ data }) => Buffer.from(data, 'base64').toString() === text)
    await world.until('js has us in its mesh', in_mesh)
    await us.publish(topic, 'first')
    await world.until('js hears us', () => heard('first'))
    await js.ask('unsubscribe', { topic })
    await js.subscribe(topic)
    await world.until('js has us in its mesh again', in_mesh)
    await us.publish(topic, 'second')
    await world.until('js hears us again', () => heard('second'))
  }
)

/** Publishes a message, then the next when it has arrived, until `condition`; at most five. */
async function publish_until(world, author, topic, hearer, condition) {
  const texts = []
  for (let i = 0; i < 5; ++i) {
    texts.push(text_of(i, 2000))
    await author.publish(topic, texts.at(-1))
    await world.until(
      `${hearer.label} hears message ${i + 1}`,
      async () => (await hearer.messages(topic)).length >= texts.length
    )
    if (await condition()) return texts
  }
  throw new Error('five messages arrived, and none of them by IWANT')
}

async function from_others(peer, topic) {
  return (await peer.messages(topic)).filter(({ from }) => from !== peer.id)
}

function note_id(ids, text, id) {
  if (!ids.has(text)) ids.set(text, new Set())
  ids.get(text).add(id)
}

/** A text of `size` bytes that is another for each author and size. */
function text_of(author, size) {
  return `${author}`.padEnd(size, `-${size}`)
}
