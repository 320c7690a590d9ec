import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { renderTdrErrorFile } from '../metadata/tdr-error-file.ts'
import { compileProfile } from '../metadata/compile-profile.ts'
import { tdrProfile } from '../metadata/profile.ts'
import { codes } from '../model/codes.ts'
import type { Finding } from '../model/finding.ts'
import { bytesDocument } from './bytes-document.ts'
import { checkMetadataDocument } from './check-metadata.ts'
import { fixMetadata, type MetadataChange } from './fix-metadata.ts'
import { tdrMetadataCsv } from './tdr-metadata-csv.ts'

const test = suite('corrected copy and TDR error file')

async function fix(content: string | Uint8Array) {
  const changes: MetadataChange[] = []
  const refusals: Finding[] = []
  let text = ''
  const copy = fixMetadata(
    bytesDocument('metadata/m.csv', content),
    tdrProfile,
    (change) => changes.push(change),
    (finding) => refusals.push(finding),
  )
  for await (const piece of copy) text += piece
  return { text, changes, refusals }
}

const told = (changes: readonly MetadataChange[]) =>
  changes.map(
    ({ what, place, from, to }) =>
      `${what} ${place.column ?? ''}${place.row ?? ''} ${from} > ${to}`,
  )

test('encoding, delimiter, header spelling and one-reading dates are put right, and said', async () => {
  const source =
    'Filepath;date of the record;closure status\r\na é;26/03/2014;open\r\n;;\r\nb;03/04/2014;\r\n'
  const { text, changes, refusals } = await fix(Buffer.from(source, 'latin1'))
  assert.equal(
    text,
    '\ufefffilepath,date of the record,closure status\r\na é,2014-03-26,open\r\nb,03/04/2014,\r\n',
  )
  assert.deepEqual(told(changes), [
    'encoding  Windows-1252 > UTF-8',
    'delimiter 1 ; > ,',
    'header A1 Filepath > filepath',
    'date B2 26/03/2014 > 2014-03-26',
    'row left out 3  > ',
  ])
  assert.deepEqual(refusals, [])
})

test('a closure is never guessed', async () => {
  const words = ['open', 'OPEN', 'opened', '', 'TRUE', 'Closed ', 'close']
  const source = `filepath,closure status\r\n${words.map((word, i) => `f${i},${word}`).join('\r\n')}\r\n`
  const { text, changes } = await fix(source)
  assert.equal(text, `\ufeff${source}`)
  assert.deepEqual(changes, [])
})

test('a corrected copy is stable: fixing it again changes nothing', async () => {
  const first = await fix('filepath\tdescription\n"a\nb"\t"say ""hi"", x"\nc\t\n')
  const second = await fix(first.text)
  assert.equal(second.text, first.text)
  assert.deepEqual(second.changes, [])
})

test('damage that a copy would hide refuses the copy', async () => {
  const { refusals } = await fix('filepath,description\na,"never closed\nb,x\n')
  assert.deepEqual(
    refusals.map(({ code }) => code),
    ['METADATA.QUOTE_NOT_CLOSED'],
  )
})

async function errorFile(content: string) {
  const findings: Finding[] = []
  const settings = { profile: compileProfile(tdrProfile), today: '2026-08-21' }
  await checkMetadataDocument(
    bytesDocument('metadata/m.csv', content),
    tdrMetadataCsv,
    settings,
    (one) => findings.push(one),
  )
  const head = { consignmentId: 'f82af3bf-b742-454c-9771-bfd6c5eae749', date: '2026-08-21' }
  let text = ''
  async function* again() {
    for (const finding of findings) yield await Promise.resolve(finding)
  }
  for await (const piece of renderTdrErrorFile(head, again, ({ code }) => codes[code].sentence))
    text += piece
  return JSON.parse(text) as Record<string, unknown>
}

const HEADER =
  'filepath,date of the record,description,closure status,closure start date,closure period,foi exemption code,foi schedule date,is filename closed,alternate filename,is description closed,alternate description,copyright'

test("row errors come out in TDR's shape, with its process, property and key", async () => {
  const file = await errorFile(
    `${HEADER}\ntest/test1.txt,2012-04-30,x,Closed,2012-04-30,33,27(1);27(2),2019-01-01,No,,No,,Crown\nb.txt,2012-04-30,x,Open,,,,,No,,No,,Crown\n`,
  )
  assert.deepEqual(file, {
    consignmentId: 'f82af3bf-b742-454c-9771-bfd6c5eae749',
    date: '2026-08-21',
    fileError: 'SCHEMA_VALIDATION',
    validationErrors: [
      {
        assetId: 'test/test1.txt',
        errors: ['foi exemption code', 'closure period'].map((property) => ({
          validationProcess: 'SCHEMA_CLOSURE_CLOSED',
          property,
          errorKey: 'closureCodeAndPeriodMismatch',
          message: 'There are not as many closure periods as FOI exemption codes.',
        })),
        data: [
          { name: 'foi exemption code', value: '27(1);27(2)' },
          { name: 'closure period', value: '33' },
        ],
      },
    ],
  })
})

test('the first stage that finds something names the file error, in the order of TDR', async () => {
  const row = 'a.txt,2012-04-30,x,open,,,,,No,,No,,Crown'
  assert.equal(
    (await errorFile(`${HEADER}\n${row.replace('open', 'Open')}\n`))['fileError'],
    'None',
  )
  assert.equal((await errorFile(`${HEADER}\n${row}\n`))['fileError'], 'SCHEMA_VALIDATION')
  assert.equal((await errorFile(`${HEADER},shelf\n${row},1\n`))['fileError'], 'ADDITIONAL_HEADER')
  const missing = HEADER.replace(',copyright', ',shelf')
  assert.equal((await errorFile(`${missing}\n${row}\n`))['fileError'], 'SCHEMA_REQUIRED')
  assert.equal(
    (await errorFile(`${missing},filepath\n${row},1\n`))['fileError'],
    'DUPLICATE_HEADER',
  )
  assert.equal((await errorFile(`${missing},filepath\n"${row},1\n`))['fileError'], 'INVALID_CSV')
  assert.equal(
    (await errorFile(`${HEADER}\n${HEADER}\n${row.replace('open', 'Open')}\n`))['fileError'],
    'SCHEMA_VALIDATION',
  )
  assert.equal((await errorFile(`${HEADER}\na\0${row}\n`))['fileError'], 'INVALID_CSV')
})

test.run()
