import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import { createFolderStore } from '../adapters/folder-store.ts'
import { algorithms, type Digests } from '../model/checksum.ts'
import { createDigestSet, loadDigests } from './digest-set.ts'
import { QuickXorHash } from './quick-xor.ts'
import { ResumableDigests } from './resumable-digest.ts'

const test = suite('digests')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-digests-'))
test.before(loadDigests)
test.after(() => rmSync(folder, { recursive: true }))

function digestsOf(pieces: readonly Uint8Array[], wanted = [...algorithms]): Digests {
  const set = createDigestSet(wanted)
  for (const piece of pieces) set.update(piece)
  return set.digests()
}

test('published check values come out', () => {
  const digests = digestsOf([Buffer.from('123456789')])
  assert.equal(digests.crc32, 'cbf43926')
  assert.equal(digests.crc32c, 'e3069283')
  assert.equal(digests.crc64nvme, 'ae8b14860a799888')
  assert.equal(digests.md5, '25f9e794323b453885f5181f1b624d0b')
  assert.equal(digests.sha256, '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225')
})

/** quickXorHash as Microsoft's text describes it, bit by bit: slow, and obviously so. */
function quickXorByBits(bytes: Uint8Array): string {
  const state = new Uint8Array(20)
  for (const [i, byte] of bytes.entries()) {
    for (let bit = 0; bit < 8; bit++) {
      if (((byte >> bit) & 1) === 0) continue
      const position = (i * 11 + bit) % 160
      state[position >> 3] = (state[position >> 3] ?? 0) ^ (1 << (position & 7))
    }
  }
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(bytes.length))
  for (let i = 0; i < 8; i++) state[12 + i] = (state[12 + i] ?? 0) ^ (length[i] ?? 0)
  return Buffer.from(state).toString('hex')
}

test('quickXorHash agrees with its definition for any bytes in any pieces', () => {
  assert.equal(quickXorByBits(new Uint8Array(0)), '0'.repeat(40))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(700), (bytes, cut) => {
      const hash = new QuickXorHash()
      hash.update(bytes.subarray(0, cut))
      hash.update(bytes.subarray(cut))
      assert.equal(hash.hex(), quickXorByBits(bytes))
    }),
    { seed: 1 },
  )
})

test('the same bytes have the same digests however they are cut, alone or all at once', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 5000 }),
      fc.array(fc.nat(5000), { maxLength: 4 }),
      (bytes, cuts) => {
        const edges = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
          bytes.length,
        ]
        const pieces = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end))
        const whole = digestsOf([bytes])
        assert.deepEqual(digestsOf(pieces), whole)
        for (const algorithm of algorithms)
          assert.equal(digestsOf(pieces, [algorithm])[algorithm], whole[algorithm])
        assert.equal(whole.sha256, createHash('sha256').update(bytes).digest('hex'))
      },
    ),
    { seed: 1, numRuns: 60 },
  )
})

test('several files of one thread in flight at once do not mix', () => {
  const a = createDigestSet(['crc32c', 'crc64nvme'])
  const b = createDigestSet(['crc32c', 'crc64nvme'])
  a.update(Buffer.from('1234'))
  b.update(Buffer.from('xyz'))
  a.update(Buffer.from('56789'))
  assert.equal(a.digests().crc32c, 'e3069283')
  assert.deepEqual(b.digests(), digestsOf([Buffer.from('xyz')], ['crc32c', 'crc64nvme']))
})

const bytes = Buffer.from(Array.from({ length: 100_003 }, (_, i) => (i * 31) & 0xff))
const where = (name: string, etag = 'e1') => ({
  store: createFolderStore(join(folder, name)),
  prefix: 'checkpoints/',
  key: 'big.bin',
  etag,
  everyBytes: 10_000,
})

async function readUpTo(name: string, end: number): Promise<ResumableDigests> {
  const digests = await ResumableDigests.begin([...algorithms], where(name))
  for (let i = digests.offset; i < end; i += 1000)
    digests.update(bytes.subarray(i, Math.min(i + 1000, end)))
  return digests
}

test('a large file killed in the middle is resumed at its last checkpoint, with the right digests', async () => {
  const killed = await readUpTo('resumed', 47_000)
  await killed.digests()
  const resumed = await ResumableDigests.begin([...algorithms], where('resumed'))
  assert.equal(resumed.offset, 40_000)
  const finished = await readUpTo('resumed', bytes.length)
  assert.deepEqual(await finished.digests(), digestsOf([bytes]))
})

test('a checkpoint of other bytes, or a torn one, is not used', async () => {
  await (await readUpTo('foreign', 47_000)).digests()
  assert.equal((await ResumableDigests.begin(['sha256'], where('foreign', 'e2'))).offset, 0)
  const place = join(folder, 'foreign', 'checkpoints')
  const [file] = readdirSync(place)
  const names = readdirSync(join(place, file ?? '')).sort()
  writeFileSync(join(place, file ?? '', names.at(-1) ?? ''), '{"library":"hash-w')
  assert.equal((await ResumableDigests.begin(['sha256'], where('foreign'))).offset, 30_000)
})

test.run()
