import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import type { AnyJob, CheckOutcome, FileFacts, JobSettings } from '../engine/model/check.ts'
import { algorithms, hexLength } from '../engine/model/checksum.ts'
import { codes } from '../engine/model/codes.ts'
import type { InventoryEntry } from '../engine/model/inventory.ts'
import { packageRoot } from '../engine/package-root.ts'
import { zoneWithDefaults } from '../engine/config.ts'
import { isExcludedName } from './excluded-names.ts'
import { jobs } from './index.ts'

const test = suite('jobs')
const settings = zoneWithDefaults('zone', { kind: 'folder', path: '.' }).settings
const HELPERS = ['index.ts', 'excluded-names.ts']

const entryOf = (path: string, more: Partial<InventoryEntry> = {}): InventoryEntry => ({
  key: `records/${path}`,
  path,
  sizeBytes: 3,
  etag: 'e',
  stated: [],
  ...more,
})
const factsOf = (more: Partial<FileFacts> = {}): FileFacts => ({
  bytesRead: 3,
  digests: { sha256: 'a'.repeat(64) },
  ...more,
})

function outcome(
  job: string,
  entry: InventoryEntry,
  facts: FileFacts,
  bytes: Uint8Array = Buffer.from('abc'),
  over: Partial<JobSettings> = {},
): CheckOutcome {
  const check = (jobs[job] as AnyJob).begin(entry, { ...settings, ...over })
  check.feed?.(bytes)
  return check.end(facts).outcome
}
const found = (one: CheckOutcome) => ('findings' in one ? one.findings.map(({ code }) => code) : [])

test('every file of jobs/ is in the list', () => {
  const files = readdirSync(join(packageRoot(), 'jobs')).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !HELPERS.includes(name),
  )
  assert.deepEqual(Object.keys(jobs).sort(), files.map((name) => name.replace('.ts', '')).sort())
})

const anyEntry = fc.record({
  path: fc.oneof(
    fc.string({ minLength: 1 }),
    fc.constantFrom('Thumbs.db', 'a/CON.txt', 'x ', 'report.docx'),
  ),
  sizeBytes: fc.constantFrom(0, 3, 1e13),
  stated: fc.array(
    fc.record({
      algorithm: fc.constantFrom(...algorithms),
      value: fc.constantFrom('a'.repeat(64), 'b'.repeat(64)),
      place: fc.constant({ document: 'm', row: 1 }),
    }),
    { maxLength: 3 },
  ),
})
const anyFacts = fc.record({
  digests: fc.constantFrom(
    { sha256: 'a'.repeat(64) },
    {},
    { sha256: 'b'.repeat(64), md5: 'a'.repeat(32) },
  ),
  bytesRead: fc.constantFrom(0, 3),
  tags: fc.constantFrom(
    {},
    { GuardDutyMalwareScanStatus: 'NO_THREATS_FOUND' },
    { GuardDutyMalwareScanStatus: 'ODD' },
  ),
})

for (const job of Object.values(jobs)) {
  test(`${job.id}: tallies may be merged in any order and grouping, and empty changes nothing`, () => {
    const tally = fc
      .array(fc.tuple(anyEntry, anyFacts), { maxLength: 4 })
      .map((files) =>
        files
          .map(
            ([entry, facts]) =>
              job
                .begin(
                  { key: 'k', etag: 'e', ...entry },
                  { ...settings, malwareTags: 'configured' },
                )
                .end(facts).tally as unknown,
          )
          .reduce((a: unknown, b: unknown) => job.merge(a, b) as unknown, job.empty as unknown),
      )
    fc.assert(
      fc.property(tally, tally, tally, (a, b, c) => {
        assert.deepEqual(job.merge(a, b), job.merge(b, a))
        assert.deepEqual(job.merge(job.merge(a, b), c), job.merge(a, job.merge(b, c)))
        assert.deepEqual(job.merge(a, job.empty), job.merge(job.empty, a))
        assert.deepEqual(job.merge(a, job.empty), a)
        assert.ok(job.notes(job.merge(a, b)).every((note: string) => note.endsWith('.')))
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  test(`${job.id}: an outcome that failed has an error among its findings, one that is noted has none`, () => {
    fc.assert(
      fc.property(anyEntry, anyFacts, (entry, facts) => {
        const one = job.begin({ key: 'k', etag: 'e', ...entry }, settings).end(facts).outcome
        if (one.kind === 'failed')
          assert.ok(one.findings.some(({ code }) => codes[code].severity === 'error'))
        if (one.kind === 'noted')
          assert.ok(one.findings.every(({ code }) => codes[code].severity !== 'error'))
      }),
      { seed: 1 },
    )
  })
}

test("names are left out by TDR's rules: thumbs.db in any case, the others exactly", () => {
  const excluded = settings.excludedNames
  for (const path of ['Thumbs.db', 'a/THUMBS.DB', 'desktop.ini', 'a/b/.DS_Store'])
    assert.ok(isExcludedName(path, excluded), path)
  for (const path of ['Desktop.ini', '.ds_store', 'thumbs.db/real.txt', 'xthumbs.db'])
    assert.ok(!isExcludedName(path, excluded), path)
  const regex = [
    { pattern: '~\\$.*', type: 'regex', caseInsensitive: false, description: 'Office lock file' },
  ] as const
  assert.ok(isExcludedName('a/~$report.docx', regex))
  assert.ok(!isExcludedName('a/x~$report.docx', regex))
})

test('empty, nearly empty and all-zero files are told apart', () => {
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  assert.deepEqual(
    found(
      outcome(
        'names-and-sizes',
        entryOf('a', { sizeBytes: 0 }),
        factsOf({ bytesRead: 0, digests: { sha256: empty } }),
        Buffer.alloc(0),
      ),
    ),
    ['FILE.ZERO_BYTES'],
  )
  const bomCrLf = 'f01a374e9c81e3db89b3a42940c4d6a5447684986a1296e42bf13f196eed6295'
  assert.deepEqual(
    found(
      outcome(
        'names-and-sizes',
        entryOf('a', { sizeBytes: 5 }),
        factsOf({ digests: { sha256: bomCrLf } }),
      ),
    ),
    ['FILE.BOM_ONLY'],
  )
  assert.deepEqual(found(outcome('names-and-sizes', entryOf('a'), factsOf(), Buffer.alloc(3))), [
    'FILE.ALL_NUL',
  ])
  assert.deepEqual(outcome('names-and-sizes', entryOf('a'), factsOf(), Buffer.from([0, 0, 1])), {
    kind: 'passed',
  })
})

test('a byte at the very end of a large file of zeros is not overlooked', () => {
  const last = Buffer.alloc(200_000)
  const facts = factsOf({ bytesRead: last.length })
  const entry = entryOf('image.dd', { sizeBytes: last.length })
  assert.deepEqual(found(outcome('names-and-sizes', entry, facts, last)), ['FILE.ALL_NUL'])
  last[last.length - 1] = 1
  assert.deepEqual(outcome('names-and-sizes', entry, facts, last), { kind: 'passed' })
})

test('an ordinary name, which is passed over quickly, has nothing that a close look finds', () => {
  const name = fc
    .array(fc.constantFrom('c', 'o', 'n', 'm', '1', 'x', '.', ' ', '-', '(', '?', ':', '\u00e9'), {
      minLength: 1,
      maxLength: 6,
    })
    .map((characters) => characters.join(''))
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 3 }), (names) => {
      // A letter beyond ASCII in front has every name of the path looked at closely.
      const closely = outcome('names-and-sizes', entryOf(`\u00e9/${names.join('/')}`), factsOf())
      assert.deepEqual(outcome('names-and-sizes', entryOf(names.join('/')), factsOf()), closely)
    }),
    { numRuns: 1000 },
  )
})

test('names that cannot live on Windows, hide characters or are not UTF-8 are noted', () => {
  for (const path of ['CON.txt', 'a/nul', 'com1.log', 'what?.txt', 'dot.', 'space ', 'a/b<c']) {
    assert.deepEqual(
      found(outcome('names-and-sizes', entryOf(path), factsOf())),
      ['NAME.UNSAFE_ON_WINDOWS'],
      path,
    )
  }
  assert.deepEqual(found(outcome('names-and-sizes', entryOf('\u202Egpj.exe'), factsOf())), [
    'NAME.CONTROL_CHARACTER',
  ])
  assert.deepEqual(found(outcome('names-and-sizes', entryOf('caf\udce9'), factsOf())), [
    'NAME.NOT_UTF8',
  ])
  for (const path of [
    'CONTRACT.txt',
    'Zo\u00eb.txt',
    '.hidden',
    '\u{1F4C4}.txt',
    'console/com10',
  ]) {
    assert.deepEqual(outcome('names-and-sizes', entryOf(path), factsOf()), { kind: 'passed' }, path)
  }
})

test('a stated size that is not the received one, and a file over the limit, fail', () => {
  assert.deepEqual(
    found(outcome('names-and-sizes', entryOf('a', { statedSizeBytes: 4 }), factsOf())),
    ['FILE.SIZE_DIFFERS'],
  )
  assert.deepEqual(
    found(outcome('names-and-sizes', entryOf('a'), factsOf(), undefined, { maxFileBytes: 2 })),
    ['FILE.TOO_LARGE'],
  )
})

test('a checksum is compared by its own algorithm, and a missing one is no pass', () => {
  const place = { document: 'm.txt', row: 1 }
  const stated = (algorithm: 'md5' | 'sha256' | 'quickxor', letter: string) => ({
    algorithm,
    value: letter.repeat(hexLength[algorithm]),
    place,
  })
  const ours = factsOf({
    digests: { sha256: 'a'.repeat(64), md5: 'b'.repeat(32), quickxor: 'c'.repeat(40) },
  })
  assert.deepEqual(outcome('fixity', entryOf('x'), ours), { kind: 'no basis' })
  assert.deepEqual(
    outcome('fixity', entryOf('x', { stated: [stated('md5', 'b'), stated('sha256', 'a')] }), ours),
    { kind: 'passed' },
  )
  assert.deepEqual(
    found(
      outcome(
        'fixity',
        entryOf('x', { stated: [stated('md5', 'b'), stated('sha256', 'd')] }),
        ours,
      ),
    ),
    ['CHECKSUM.MISMATCH'],
  )
  assert.deepEqual(
    found(outcome('fixity', entryOf('x.docx', { stated: [stated('quickxor', 'd')] }), ours)),
    ['CHECKSUM.MISMATCH_OFFICE'],
  )
  assert.deepEqual(
    found(
      outcome('fixity', entryOf('x', { stated: [stated('md5', 'b'), stated('md5', 'e')] }), ours),
    ),
    ['CHECKSUM.CONTRADICTORY'],
  )
  const at = (document: string, algorithm: 'md5' | 'sha256', digit: string) => ({
    ...stated(algorithm, digit),
    place: { document, row: 3 },
  })
  const details = (...all: ReturnType<typeof at>[]) => {
    const judged = outcome('fixity', entryOf('x', { stated: all }), ours)
    return judged.kind === 'failed' ? judged.findings.map(({ detail }) => detail) : judged.kind
  }
  // The same said twice, by a list and a sidecar, is no contradiction.
  assert.deepEqual(details(at('l', 'sha256', 'a'), at('s', 'sha256', 'a')), 'passed')
  assert.deepEqual(details(at('l', 'sha256', 'a'), at('s', 'sha256', 'd')), [
    'The other is l (3). The bytes received agree with l (3).',
  ])
  assert.deepEqual(details(at('l', 'sha256', 'e'), at('s', 'sha256', 'd')), [
    'The other is l (3). Neither is that of the bytes received.',
  ])
  assert.deepEqual(details(at('l', 'sha256', 'a'), at('s', 'md5', 'd')), [
    'The sha256 in l (3) is right.',
  ])
})

test("a scanner's verdict is clean, a threat, or not known: nothing else is taken for clean", () => {
  const verdict = (tags: Record<string, string> | undefined) =>
    outcome('malware-tag', entryOf('x'), factsOf(tags === undefined ? {} : { tags }), undefined, {
      malwareTags: 'configured',
    })
  const status = (value: string) => verdict({ GuardDutyMalwareScanStatus: value })
  assert.deepEqual(status('NO_THREATS_FOUND'), { kind: 'passed' })
  assert.deepEqual(found(status('THREATS_FOUND')), ['MALWARE.THREAT'])
  assert.deepEqual(found(status('UNSUPPORTED')), ['MALWARE.UNSUPPORTED'])
  for (const value of ['ACCESS_DENIED', 'FAILED', '', 'no_threats_found'])
    assert.equal(status(value).kind, 'unchecked', value)
  assert.equal(verdict({}).kind, 'unchecked')
  assert.deepEqual(outcome('malware-tag', entryOf('x'), factsOf()), { kind: 'not configured' })
})

test('bytes that differ from what the store says it holds are for the archivist', () => {
  const facts = factsOf({
    digests: { sha256: 'a'.repeat(64), crc64nvme: '1'.repeat(16) },
    storedChecksum: { algorithm: 'crc64nvme', value: '2'.repeat(16) },
  })
  assert.deepEqual(found(outcome('sha256', entryOf('x'), facts)), ['CHECKSUM.STORE_DIFFERS'])
})

test.run()
