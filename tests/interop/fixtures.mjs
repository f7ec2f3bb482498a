// Writes tests/fixtures/js: messages as js-libp2p and Helia encode them, for the unit tests of
// Kith's decoders. Every seed, time and key is fixed, so that a second run writes the same bytes;
// `fixtures.mjs --check` writes nothing and fails when a file would change.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

// Sequence numbers and times are taken from the clock when the libraries load and encode.
const FIXED_TIME_MS = Date.UTC(2026, 10, 20, 12, 0, 0)
Date.now = () => FIXED_TIME_MS

const { bitswap_fixtures, unixfs_fixtures } = await import('./fixtures/blocks.mjs')
const { identity_fixtures, noise_fixtures } = await import('./fixtures/identity.mjs')
const { gossip_fixtures, kad_fixtures } = await import('./fixtures/overlay.mjs')

const FOLDER = fileURLToPath(new URL('../fixtures/js/', import.meta.url))
const LIBRARIES = [
  '@helia/bitswap',
  '@libp2p/crypto',
  '@libp2p/gossipsub',
  '@libp2p/identify',
  '@libp2p/kad-dht',
  '@libp2p/noise',
  '@libp2p/peer-record',
  '@libp2p/record',
  'ipfs-unixfs-importer'
]

/** A fixture is { file, made, holds [text], bytes }. */
async function all_fixtures() {
  const groups = [
    ['Identity, envelopes, identify', identity_fixtures],
    ['Noise', noise_fixtures],
    ['Gossipsub', gossip_fixtures],
    ['Kademlia', kad_fixtures],
    ['Bitswap', bitswap_fixtures],
    ['UnixFS', unixfs_fixtures]
  ]
  return Promise.all(groups.map(async ([title, make]) => ({ title, fixtures: await make() })))
}

async function readme(groups) {
  const { dependencies } = JSON.parse(await readFile(new URL('package.json', import.meta.url)))
  const lines = [
    '# Bytes of js peers',
    '',
    'Written by `tests/interop/fixtures.mjs`, this page included: change that, not these. A file is',
    'one message without its length prefix, encoded by the library itself:',
    '',
    LIBRARIES.map((name) => `\`${name}\` ${dependencies[name]}`).join(', ') + '.',
    '',
    'Keys come from seeds: "seed 1" is 32 bytes of 0x01. Peer A has seed 1, B seed 2, C seed 3.',
    'The clock stands at 2026-11-20T12:00:00Z.'
  ]
  for (const { title, fixtures } of groups) {
    lines.push('', `| ${title} | bytes | made by | holds |`, '|---|---|---|---|')
    for (const { file, made, holds, bytes } of fixtures) {
      lines.push(`| ${file} | ${bytes.length} | ${made} | ${holds.join('; ')} |`)
    }
  }
  return Buffer.from(lines.join('\n') + '\n')
}

async function main() {
  const check = process.argv.includes('--check')
  const groups = await all_fixtures()
  const files = groups.flatMap(({ fixtures }) => fixtures.map(({ file, bytes }) => [file, bytes]))
  files.push(['README.md', await readme(groups)])
  await mkdir(FOLDER, { recursive: true })
  let changed = 0
  for (const [file, bytes] of files) {
    const path = FOLDER + file
    const old = await readFile(path).catch(() => null)
    if (old != null && Buffer.compare(old, bytes) === 0) continue
    ++changed
    console.log(`${check ? 'differs' : 'wrote'} ${file}`)
    if (!check) await writeFile(path, bytes)
  }
  if (check && changed > 0) process.exit(1)
}

await main()
