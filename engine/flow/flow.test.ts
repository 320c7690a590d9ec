import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import type { CheckOutcome, CheckTally } from '../model/check.ts'
import type { FindingCode } from '../model/codes.ts'
import type { FindingGroup } from '../model/outcome.ts'
import { chunkInventory, dispatchOrder, limitsFor } from './chunk.ts'
import { completionNumber, readCompletion } from './completion.ts'
import { awakeHours, isolate, type Try } from './isolate.ts'
import { addTally, emptyTally, tallyOf, timesTally, totalsAddUp } from './tally.ts'
import { decideVerdict } from './verdict.ts'

const test = suite('the pure middle')
const seeded = { seed: 1 }

const kind = fc.constantFrom<CheckOutcome>(
  { kind: 'passed' },
  { kind: 'no basis' },
  { kind: 'not configured' },
  { kind: 'failed', findings: [] },
  { kind: 'noted', findings: [] },
  { kind: 'unchecked', unchecked: { reason: 'denied', message: '', retryable: false } },
)
const tally = fc.array(kind).map((outcomes) => outcomes.map(tallyOf).reduce(addTally, emptyTally))

test('tallies may be added in any order and grouping, always add up, and empty changes nothing', () => {
  fc.assert(
    fc.property(
      tally,
      tally,
      tally,
      fc.nat(9),
      (a: CheckTally, b: CheckTally, c: CheckTally, files) => {
        assert.deepEqual(addTally(a, b), addTally(b, a))
        assert.deepEqual(addTally(addTally(a, b), c), addTally(a, addTally(b, c)))
        assert.deepEqual(addTally(a, emptyTally), a)
        assert.ok(totalsAddUp(addTally(a, b)))
        assert.deepEqual(
          timesTally(a, files),
          Array.from({ length: files }, () => a).reduce(addTally, emptyTally),
        )
      },
    ),
    seeded,
  )
  assert.ok(!totalsAddUp({ ...emptyTally, expected: 1 }))
})

test('chunks follow one another, leave nothing out and keep to their limits unless one file alone breaks them', () => {
  const sizes = fc.array(fc.nat(1000), { maxLength: 200 })
  fc.assert(
    fc.property(
      sizes,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 3000 }),
      (all, maxFiles, maxBytes) => {
        const chunks = chunkInventory(all, { maxFiles, maxBytes, maxCostSeconds: 1e9 })
        let next = 0
        for (const [i, chunk] of chunks.entries()) {
          assert.equal(chunk.index, i)
          assert.equal(chunk.first, next)
          assert.ok(chunk.count > 0 && chunk.count <= maxFiles)
          assert.ok(chunk.bytes <= maxBytes || chunk.count === 1)
          next += chunk.count
        }
        assert.equal(next, all.length)
        assert.deepEqual(
          [...dispatchOrder(chunks)].sort((a, b) => a.index - b.index),
          chunks,
        )
      },
    ),
    seeded,
  )
})

test('a small consignment is shared out too, and a large one keeps to the limits', () => {
  const limits = { maxFiles: 2000, maxBytes: 4 * 1024 ** 3, maxCostSeconds: 60 }
  assert.equal(limitsFor({ files: 100, bytes: 0 }, limits).maxFiles, 250)
  assert.equal(limitsFor({ files: 1e6, bytes: 0 }, limits).maxFiles, 2000)
  assert.equal(limitsFor({ files: 8, bytes: 2 * 1024 ** 3 }, limits).maxBytes, 128 * 1024 ** 2)
})

const one = (more: Partial<Try>): Try => ({
  kind: 'crashed',
  from: 0,
  to: 8,
  at: '2026-01-01T00:00:00Z',
  ...more,
})

test('a chunk is whole until it has ended its worker three times, then halved down to the one file', () => {
  assert.deepEqual(isolate(8, []).ranges, [{ from: 0, to: 8 }])
  assert.deepEqual(isolate(8, [one({}), one({})]).ranges, [{ from: 0, to: 8 }])
  assert.deepEqual(isolate(8, [one({}), one({}), one({})]).ranges, [
    { from: 0, to: 4 },
    { from: 4, to: 8 },
  ])
  assert.deepEqual(
    isolate(8, [
      one({ kind: 'started' }),
      one({ kind: 'started' }),
      one({ kind: 'unchecked' }),
      one({ kind: 'started' }),
    ]).ranges,
    [{ from: 0, to: 8 }],
  )
  const stopped = [one({ kind: 'started' }), one({ kind: 'handed back' })]
  assert.deepEqual(
    isolate(8, [...stopped, ...stopped, ...stopped, ...stopped]).ranges,
    [{ from: 0, to: 8 }],
    'being told to stop is not a death',
  )
})

test('whichever file is the poison, it alone is given up, in few tries', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(299), (count, poison) => {
      const at = poison % count
      const tries: Try[] = []
      const done = new Set<number>()
      for (let steps = 0; ; steps++) {
        assert.ok(steps < 60, 'ends')
        const { ranges, poisoned } = isolate(count, tries)
        const next = ranges.find(
          ({ from, to }) =>
            !Array.from({ length: to - from }, (_, i) => from + i).every((i) => done.has(i)),
        )
        if (next === undefined) {
          assert.deepEqual(poisoned, [at])
          assert.equal(done.size, count - 1)
          return
        }
        if (next.from <= at && at < next.to) tries.push(one(next))
        else for (let i = next.from; i < next.to; i++) done.add(i)
      }
    }),
    seeded,
  )
})

test('a weekend between two tries counts as one hour awake', () => {
  const at = (text: string) => one({ at: text })
  assert.equal(
    awakeHours([
      at('2026-01-02T17:00:00Z'),
      at('2026-01-05T08:00:00Z'),
      at('2026-01-05T08:30:00Z'),
    ]),
    1.5,
  )
  assert.equal(awakeHours([]), 0)
})

const group = (code: FindingCode): FindingGroup => ({ code, count: 3, examples: [] })

test('the verdict follows from severity and actor; what each side has to do is never hidden', () => {
  const decide = (
    uncheckedCount: number,
    codes: FindingCode[],
    requiredNotConfigured: 'malware'[] = [],
  ) => {
    const { verdict, status, actions } = decideVerdict({
      uncheckedCount,
      groups: codes.map(group),
      requiredNotConfigured,
    })
    return [verdict, status, actions.sender, actions.archivist, actions.ours]
  }
  assert.deepEqual(decide(0, []), ['READY', 'Completed', 0, 0, 0])
  assert.deepEqual(decide(0, ['CONTENT.DUPLICATE']), ['READY', 'Completed', 0, 0, 0])
  assert.deepEqual(decide(0, ['NAME.CLASH']), ['READY WITH WARNINGS', 'Completed', 0, 0, 0])
  assert.deepEqual(decide(0, ['MALWARE.UNSUPPORTED', 'NAME.CLASH']), [
    'NEEDS ARCHIVIST',
    'CompletedWithIssues',
    0,
    1,
    0,
  ])
  assert.deepEqual(decide(0, ['FILE.MISSING', 'MALWARE.UNSUPPORTED']), [
    'NEEDS SENDER',
    'CompletedWithIssues',
    1,
    1,
    0,
  ])
  assert.deepEqual(decide(1, ['FILE.MISSING']), ['NOT PROCESSED', 'Failed', 1, 0, 1])
  assert.deepEqual(decide(0, [], ['malware']), ['NEEDS ARCHIVIST', 'CompletedWithIssues', 0, 1, 0])
})

test('complete.json is read strictly, with every problem named; an empty object is enough', () => {
  const read = (text: string) => readCompletion(Buffer.from(text))
  assert.deepEqual(read('{}'), {
    kind: 'valid',
    completion: { loadErrors: [], remove: [], metadataOnly: false },
  })
  const full = read(
    '{"expectedNumberFiles":2,"loadErrors":[{"message":"x"},"y"],"corrects":"t1","remove":["a"],"unknown":1}',
  )
  assert.ok(full.kind === 'valid')
  assert.deepEqual(full.completion.loadErrors, ['x', 'y'])
  const bad = read('{"expectedNumberFiles":-1,"remove":"a","corrects":7,"metadataOnly":"yes"}')
  assert.ok(bad.kind === 'invalid')
  assert.equal(bad.problems.length, 4)
  for (const text of ['', '[]', 'null', '"x"', '{']) assert.equal(read(text).kind, 'invalid', text)
  assert.equal(readCompletion(Uint8Array.of(0xff, 0xfe)).kind, 'invalid')
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) =>
      ['valid', 'invalid'].includes(readCompletion(bytes).kind),
    ),
    seeded,
  )
})

test('a later complete.json has a number, and nothing else is one', () => {
  assert.equal(completionNumber('complete.json'), 1)
  assert.equal(completionNumber('complete.12.json'), 12)
  for (const name of ['complete.x.json', 'xcomplete.json', 'complete.json.bak', 'Complete.json'])
    assert.equal(completionNumber(name), undefined)
})

test.run()
