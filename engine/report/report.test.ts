import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { suite } from 'uvu'
import { landSample, sampleNames } from '../../fixtures/consignments.ts'
import { makeLab } from '../../fixtures/lab.ts'
import { checks } from '../model/code-facts.ts'
import { codes, type FindingCode } from '../model/codes.ts'
import type { Finding } from '../model/finding.ts'
import type { Outcome } from '../model/outcome.ts'
import { packageRoot } from '../package-root.ts'
import { findingsCsv } from './csv.ts'
import { html } from './markup.ts'
import { renderText } from './text.ts'
import { visible } from './visible.ts'
import { metadataInWords, placeOf } from './words.ts'

const test = suite('report')
const lab = makeLab({ threads: 2 })
test.after(() => lab.close())

test('every report.json follows the published schema, and the schema allows nothing else', async () => {
  const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true })
  addFormats.default(ajv)
  const validate = ajv.compile(
    JSON.parse(
      readFileSync(join(packageRoot(), 'docs/reference/report.schema.json'), 'utf8'),
    ) as object,
  )
  let withMetadata = 0
  for (const name of sampleNames()) {
    const delivered = await lab.deliver(landSample(name, lab.dropZone, lab.zone.name))
    const report = JSON.parse(await lab.report(delivered, 'report.json')) as Record<string, unknown>
    assert.ok(validate(report), `${name}: ${ajv.errorsText(validate.errors)}`)
    assert.ok(!validate({ ...report, more: 1 }))
    const page = await lab.report(delivered, 'report.html')
    assert.doesNotMatch(page, /<script|javascript:|<b>bold/i)
    assert.match(page, /Do not delete your copies/)
    for (const label of ['Malware', 'File format'])
      assert.ok(page.includes(label), `${name}: the row ${label} prints always`)
    const profile = (report as unknown as Outcome).metadata
    if (profile === undefined) continue
    withMetadata++
    const text = renderText(report as unknown as Outcome)
    const { summary, columns } = metadataInWords(profile)
    for (const said of [summary, ...columns]) assert.ok(text.includes(said), said)
    assert.ok(page.includes(summary), summary)
  }
  assert.ok(withMetadata > 0, 'a sample has metadata')
})

async function csvOf(findings: readonly Finding[]): Promise<string> {
  let text = ''
  const tables = {
    async *findings() {
      yield* findings
    },
    async *unchecked() {
      yield* []
    },
  }
  for await (const piece of findingsCsv(tables)) text += piece
  return text
}

test('no text of a sender reaches a spreadsheet as a formula, and every text comes back as it is shown', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('=1+1', '@x', '-1', '+1', '\t=1', '"a",b\r\nc'),
      ),
      async (path) => {
        const text = await csvOf([{ code: 'FILE.MISSING', path, value: path }])
        assert.ok(text.startsWith('\ufeff'), 'a byte-order mark, for Excel')
        const [row] = parse(text, { bom: true, columns: true }) as Record<string, string>[]
        const cell = row?.['path'] ?? ''
        assert.doesNotMatch(cell, /^[=+\-@\t\r]/)
        assert.equal(
          cell.replace(/^'(?=[=+\-@\\])/, ''),
          visible(path).replace(/^'(?=[=+\-@\\])/, ''),
        )
      },
    ),
    { seed: 1 },
  )
})

test('what the metadata says is told in words, with what was mapped, kept and read otherwise', () => {
  const profile = {
    profileId: 'tdr',
    profileVersion: '1',
    rows: 1200,
    columnsMapped: [
      { header: 'Closure Status', property: 'closure_type' },
      { header: 'note', property: 'note' },
    ],
    columnsKept: ['shelf'],
    normalised: [
      { column: 'language', from: '', to: 'English', count: 3 },
      { column: 'is filename closed', from: 'No', to: 'false', count: 1200 },
    ],
    open: 1000,
    closed: 150,
    closureUnknown: 50,
    dateRange: { from: '1999-01-01', to: '2004-02-29' },
  }
  assert.deepEqual(metadataInWords(profile), {
    summary:
      '1,200 rows checked against tdr 1: 1,000 open, 150 closed, 50 not known. Dates from 1999-01-01 to 2004-02-29.',
    columns: ['Columns used: Closure Status (closure_type), note.', 'Kept but not used: shelf.'],
    normalised: [
      'language: empty read as “English” (3)',
      'is filename closed: “No” read as “false” (1,200)',
    ],
  })
  const at = (document: string, column?: string) =>
    placeOf({
      code: 'METADATA.NUL',
      place: { document, row: 7, ...(column === undefined ? {} : { column }) },
    })
  assert.deepEqual(
    [at('m.csv'), at('m.txt', 'B'), at('m.xml', '12'), at('list.sha256')],
    ['m.csv, row 7', 'm.txt, row 7, column B', 'm.xml, line 7, column 12', 'list.sha256, line 7'],
  )
})

test('what a sender wrote cannot become markup', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.doesNotMatch(html`${text}`.text, /[<>"']/)
    }),
    { seed: 1 },
  )
  assert.equal(
    html`<a href="${'"><script>'}">${[html`<b>${1}</b>`]}</a>`.text,
    '<a href="&quot;&gt;&lt;script&gt;"><b>1</b></a>',
  )
})

test('what cannot be seen is written out', () => {
  assert.equal(visible('a\nb\tc\u202Ed\u0000'), 'a\\nb\\tc\\u202ed\\x00')
  assert.equal(visible('caf\udce9 \u{1F4C4} Zo\u00eb'), 'caf\\xe9 \u{1F4C4} Zo\u00eb')
})

test('the reference of findings lists every code with its words', () => {
  const rows = (Object.keys(codes) as FindingCode[]).sort().map((code) => {
    const { check, severity, actor, sentence, howToFix } = codes[code]
    return `| \`${code}\` | ${checks[check]} | ${severity} | ${actor} | ${sentence} | ${howToFix} |`
  })
  const expected = `# Findings\n\nCodes are stable for ever; the words may improve. Written from \`engine/model/codes.ts\`; a test keeps the two alike.\n\n| code | row of the report | severity | who acts | what is wrong | how to fix it |\n|---|---|---|---|---|---|\n${rows.join('\n')}\n`
  const file = join(packageRoot(), 'docs/reference/findings.md')
  if (process.env['WRITE_EXPECTED'] === '1') writeFileSync(file, expected)
  assert.equal(readFileSync(file, 'utf8'), expected)
})

test.run()
