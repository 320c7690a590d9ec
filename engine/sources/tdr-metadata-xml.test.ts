import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import { compileProfile } from '../metadata/compile-profile.ts'
import { tdrProfile } from '../metadata/profile.ts'
import type { Finding } from '../model/finding.ts'
import { packageRoot } from '../package-root.ts'
import { bytesDocument } from './bytes-document.ts'
import { checkMetadataDocument } from './check-metadata.ts'
import { tdrMetadataXml } from './tdr-metadata-xml.ts'

const test = suite('metadata in XML')
const profile = compileProfile(tdrProfile)

async function check(name: string) {
  const path = join(packageRoot(), 'fixtures/sources/tdr-metadata-xml', name)
  const document = bytesDocument('metadata/a.xml', readFileSync(path), 99)
  const findings: Finding[] = []
  const settings = { profile, today: '2026-11-24' }
  const result = await checkMetadataDocument(document, tdrMetadataXml, settings, (finding) =>
    findings.push(finding),
  )
  const said = findings.map(
    ({ code, place, value }) => `${place?.row} ${place?.columnName} ${code} ${value ?? ''}`,
  )
  return { ...result, said }
}

test('records in XML pass the rules that rows of a table pass', async () => {
  for (const [name, rows] of [
    ['elements.xml', 2],
    ['attributes-utf16.xml', 1],
    ['mapped.xml', 1],
  ] as const) {
    const { said, passed } = await check(`good/${name}`)
    assert.deepEqual(said, [], name)
    assert.equal(passed, rows, name)
  }
})

test('what is wrong with a value is found at its element, by path and line', async () => {
  const { said, passed, failed, profile: tally } = await check('rows/closure.xml')
  assert.deepEqual(said, [
    '8 records/record/closure_status METADATA.CLOSURE_UNKNOWN open',
    '22 records/record/closure_start_date METADATA.DATE_INVALID 26/03/2012',
    '34 records/record/is_filename_closed METADATA.VALUE_TYPE 007',
  ])
  assert.deepEqual([passed, failed], [0, 3])
  assert.deepEqual([tally.open, tally.closureUnknown], [0, 3])
})

test.run()
