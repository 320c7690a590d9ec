import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import { compileProfile } from '../metadata/compile-profile.ts'
import { tdrProfile } from '../metadata/profile.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument, SourceKind, Statement } from '../model/source.ts'
import { packageRoot } from '../package-root.ts'
import { bytesDocument } from './bytes-document.ts'
import { checkMetadataDocument } from './check-metadata.ts'
import { recogniseSource } from './index.ts'
import { tdrMetadataCsv } from './tdr-metadata-csv.ts'

const test = suite('TDR metadata table')
const folder = join(packageRoot(), 'fixtures', 'sources', 'tdr-metadata-csv')
const profile = compileProfile(tdrProfile)

async function check(document: SourceDocument, kind: SourceKind = tdrMetadataCsv) {
  const findings: Finding[] = []
  const settings = { profile, today: '2026-11-24' }
  const result = await checkMetadataDocument(document, kind, settings, (finding) =>
    findings.push(finding),
  )
  return { ...result, findings }
}

/** `L7 METADATA.DATE_INVALID "26/03/2014"`: a finding as a person would point at it. */
function point({ code, place, value }: Finding): string {
  const cell = `${place?.column ?? ''}${place?.row ?? ''}`
  const short = value === undefined || value.length > 60 ? '' : ` ${JSON.stringify(value)}`
  return `${cell} ${code.replace('METADATA.', '')}${short}`.trim()
}

for (const kind of ['good', 'bad']) {
  const expected = JSON.parse(
    readFileSync(join(folder, `${kind}.expected.json`), 'utf8'),
  ) as Record<string, string[]>
  test(`every ${kind} fixture has its expected findings and no other`, async () => {
    const names = readdirSync(join(folder, kind)).sort()
    assert.deepEqual(Object.keys(expected).sort(), names)
    for (const name of names) {
      const document = bytesDocument(
        `metadata/${name}`,
        readFileSync(join(folder, kind, name)),
        999,
      )
      assert.equal(recogniseSource(document)?.id, tdrMetadataCsv.id, name)
      const { findings } = await check(document)
      assert.deepEqual(findings.map(point), expected[name], name)
    }
  })
}

test('the same table reads the same whatever its encoding and delimiter', async () => {
  const fieldsOf = async (name: string) => {
    const document = bytesDocument(`metadata/${name}`, readFileSync(join(folder, 'good', name)))
    const statements: Statement[] = []
    for await (const one of tdrMetadataCsv.read(document, () => undefined)) statements.push(one)
    return statements.map(({ path, fields, place }) => ({ path, fields, row: place.row }))
  }
  const [first, ...others] = await Promise.all(
    ['utf8-bom.csv', 'utf16le-tab.csv', 'utf16be-no-bom.csv'].map(fieldsOf),
  )
  assert.equal(first?.length, 5)
  assert.equal(first[4]?.path, 'content/Café/menu.txt')
  assert.equal(first[1]?.fields?.['description'], 'Minutes, with "annexes"\r\nand a second line')
  for (const other of others) assert.deepEqual(other, first)
})

test('the profile counts rows, closures, mapped and kept columns, what was normalised, dates', async () => {
  const bytes = readFileSync(join(folder, 'good', 'utf8-bom.csv'))
  const {
    profile: tally,
    rows,
    passed,
    failed,
  } = await check(bytesDocument('metadata/a.csv', bytes))
  assert.deepEqual([rows, passed, failed], [5, 5, 0])
  assert.deepEqual([tally.open, tally.closed, tally.closureUnknown], [3, 2, 0])
  assert.equal(tally.columnsMapped.length, 23)
  assert.deepEqual(tally.dateRange, { from: '2012-04-30', to: '2012-05-01' })
  assert.deepEqual(
    tally.normalised.map(({ column, from, to, count }) => `${column}: ${from} -> ${to}, ${count}`),
    [
      'is description closed: No -> false, 4',
      'is description closed: yes -> true, 1',
      'is filename closed: No -> false, 4',
      'is filename closed: Yes -> true, 1',
      'language:  -> English, 1',
    ],
  )
})

test('a closure that is not said in a known word is never counted as open', async () => {
  const bytes = readFileSync(join(folder, 'bad', 'closure-words.csv'))
  const { profile: tally, failed } = await check(bytesDocument('metadata/a.csv', bytes))
  assert.deepEqual([tally.open, tally.closed, tally.closureUnknown, failed], [0, 0, 6, 6])
})

function kindOf(fields: NonNullable<Statement['fields']>): SourceKind {
  return {
    ...tdrMetadataCsv,
    id: 'typed',
    async *read(document) {
      const place = { document: document.key, row: 1 }
      yield await Promise.resolve({ place, path: 'a.txt', checksums: [], fields })
    },
  }
}

test('a boolean, a number or null as closure status is never open', async () => {
  const sound = { title_closed: false, description_closed: false, file_path: 'a.txt' }
  const status = fc.oneof(
    fc.boolean(),
    fc.integer(),
    fc.constant(null),
    fc.string().filter((word) => word !== 'Open' && word !== 'Closed'),
    fc.array(fc.constantFrom('Open', 'Closed')),
  )
  await fc.assert(
    fc.asyncProperty(status, async (closure_type) => {
      const document = bytesDocument('metadata/a', '')
      const { profile: tally, findings } = await check(document, kindOf({ ...sound, closure_type }))
      assert.deepEqual([tally.open, tally.closureUnknown], [0, 1])
      assert.ok(findings.some(({ code }) => code === 'METADATA.CLOSURE_UNKNOWN'))
    }),
    { seed: 7, numRuns: 60 },
  )
})

test('a title closed as the JSON value true is closed, with no word lost', async () => {
  const document = bytesDocument('metadata/a', '')
  const fields = { closure_type: 'Open', title_closed: true, description_closed: false }
  const { findings, profile: tally } = await check(document, kindOf(fields))
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['METADATA.OPEN_BUT_HIDDEN'],
  )
  assert.equal(tally.open, 0)
})

test('rows passed and failed add up for any table', async () => {
  const header = tdrProfile.columns.flatMap((column) => column.header ?? [])
  const cell = fc.constantFrom('', 'Open', 'Closed', '2012-01-01', 'Yes', 'No', '27', 'x', '"', 'é')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(cell, { maxLength: 28 }), { maxLength: 8 }),
      async (rows) => {
        const text = [header, ...rows].map((cells) => cells.join(',')).join('\n')
        const result = await check(bytesDocument('metadata/a.csv', text))
        assert.equal(result.passed + result.failed, result.rows)
        const { open, closed, closureUnknown } = result.profile
        assert.equal(open + closed + closureUnknown, result.rows)
        assert.equal(result.profile.rows, result.rows)
      },
    ),
    { seed: 9, numRuns: 80 },
  )
})

test.run()
