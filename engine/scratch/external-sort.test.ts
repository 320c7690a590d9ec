import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import { compareKeys } from '../model/key-order.ts'
import { ExternalSort } from './external-sort.ts'

const test = suite('external sort')
const scratch = mkdtempSync(join(tmpdir(), 'wharfinger-sort-'))
test.after(() => rmSync(scratch, { recursive: true }))

test('keys come back in UTF-8 byte order, each as often as it was added', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (keys) => {
      const sort = new ExternalSort(scratch)
      for (const key of keys) sort.add(key, JSON.stringify(key))
      const got = [...sort.sorted()].map((line) => line.sortKey)
      sort.dispose()
      const byBytes = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      assert.deepEqual(got, byBytes)
    }),
    { seed: 1 },
  )
})

test('more lines than memory holds are sorted on disk and can be read twice', () => {
  const sort = new ExternalSort(scratch)
  const padding = 'x'.repeat(2000)
  const count = 30_000
  for (let i = 0; i < count; i++) {
    sort.add(`k${(i * 7919) % count}\tü\n"`, JSON.stringify({ i, padding }))
  }
  for (let pass = 0; pass < 2; pass++) {
    let previous = ''
    let seen = 0
    for (const { sortKey } of sort.sorted()) {
      assert.ok(compareKeys(previous, sortKey) <= 0)
      previous = sortKey
      seen++
    }
    assert.equal(seen, count)
  }
  sort.dispose()
})

test('an emoji sorts after U+FFFD although its first code unit is smaller', () => {
  assert.ok(compareKeys('\u{1F600}', '\uFFFD') > 0)
  assert.equal(Math.sign(Buffer.compare(Buffer.from('\u{1F600}'), Buffer.from('\uFFFD'))), 1)
})

test.run()
