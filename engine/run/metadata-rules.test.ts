import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { codesOf, makeLab } from '../../fixtures/lab.ts'
import { runCommand } from '../cli/program.ts'
import { tdrProfile, type Profile } from '../metadata/profile.ts'

const test = suite("a body's own rules for metadata")

const HEADER = tdrProfile.requiredHeaders
  .map((property) => tdrProfile.columns.find((one) => one.property === property)?.header ?? '')
  .join(',')
const row = (path: string, description: string, closure = 'Open') => {
  const cells: Record<string, string> = {
    file_path: path,
    description,
    end_date: '2020-01-02',
    closure_type: closure,
    rights_copyright: 'Crown copyright',
    title_closed: 'No',
    description_closed: 'No',
  }
  return tdrProfile.requiredHeaders.map((property) => cells[property] ?? '').join(',')
}
const table = (...rows: string[]) => `${[HEADER, ...rows].join('\r\n')}\r\n`

const base = tdrProfile.schemas.base as { properties: Record<string, object> }
const harbour: Profile = {
  ...tdrProfile,
  id: 'harbour',
  version: '7',
  schemas: {
    ...tdrProfile.schemas,
    base: {
      ...base,
      properties: { ...base.properties, description: { type: 'string', maxLength: 10 } },
    },
  },
}
const XSD = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="records"><xs:complexType><xs:sequence>
    <xs:element name="record" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:element name="filepath" type="xs:string"/><xs:element name="pages" type="xs:positiveInteger"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element></xs:schema>`

test("a drop zone's own profile decides, and its version is on the report", async () => {
  const lab = makeLab({ zone: { metadata: { profile: harbour } } })
  try {
    const files = {
      'records/a.txt': 'a',
      'metadata/table.csv': table(row('a.txt', 'Too long a description')),
    }
    const delivered = await lab.deliver(lab.land('own', files))
    const report = JSON.parse(await lab.report(delivered, 'report.json')) as {
      metadata: { profileId: string; profileVersion: string }
    }
    assert.deepEqual([report.metadata.profileId, report.metadata.profileVersion], ['harbour', '7'])
    assert.ok('METADATA.TEXT_TOO_LONG' in codesOf(delivered), JSON.stringify(codesOf(delivered)))
    const theirs = makeLab()
    const usual = await theirs.deliver(theirs.land('tdr', files))
    assert.ok(!('METADATA.TEXT_TOO_LONG' in codesOf(usual)))
    await theirs.close()
  } finally {
    await lab.close()
  }
})

test('metadata in XML is checked against the schema of its drop zone, in the pipeline', async () => {
  const lab = makeLab({ zone: { metadata: { xmlSchema: { text: XSD, beside: {} } } } })
  try {
    const xml = (pages: string) =>
      `<records><record><filepath>a.txt</filepath><pages>${pages}</pages></record></records>`
    const send = (id: string, pages: string) =>
      lab.deliver(lab.land(id, { 'records/a.txt': 'a', 'metadata/list.xml': xml(pages) }))
    assert.equal(codesOf(await send('good', '3'))['METADATA.XML_SCHEMA'], undefined)
    const bad = await send('bad', 'three')
    assert.equal(codesOf(bad)['METADATA.XML_SCHEMA'], 1)
    assert.match(
      await lab.report(bad, 'findings.csv'),
      /<pages> has the value ""three"", which is not one of the type positiveInteger/,
    )
  } finally {
    await lab.close()
  }
})

test('several tables on several threads give the report of one thread', async () => {
  const files: Record<string, string> = {}
  for (let one = 0; one < 3; one++) {
    const rows = Array.from({ length: 50 }, (_, i) => {
      files[`records/${one}/${i}.txt`] = `${one} ${i}`
      return row(`${one}/${i}.txt`, 'words', i % 7 === 0 ? 'Shut' : 'Open')
    })
    files[`metadata/table-${one}.csv`] = table(...rows)
  }
  const reports = []
  for (const threads of [1, 3]) {
    const lab = makeLab({ threads })
    const delivered = await lab.deliver(lab.land('many', files))
    reports.push(await lab.report(delivered, 'findings.csv'))
    await lab.close()
  }
  assert.equal(reports[0], reports[1])
  assert.ok((reports[0] ?? '').split('METADATA.').length > 20)
})

test('a profile or schema that cannot be used is told when the configuration is read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-rules-'))
  const said = async (zone: string): Promise<string> => {
    writeFileSync(
      join(folder, 'wharfinger.yaml'),
      `dropZones: [{ name: inbox, address: ./inbox, ${zone} }]`,
    )
    let err = ''
    await runCommand(['sweep'], {
      folder,
      env: {},
      now: () => new Date(),
      out: { write: () => undefined, isTerminal: false },
      err: { write: (text) => void (err += text), isTerminal: false },
      signal: new AbortController().signal,
    })
    return err
  }
  try {
    assert.match(
      await said('profile: none.json'),
      /`profile` names none.json, which cannot be read/,
    )
    writeFileSync(join(folder, 'empty.json'), '{}')
    assert.match(
      await said('profile: empty.json'),
      /drop zone `inbox`: The metadata profile cannot/,
    )
    writeFileSync(join(folder, 'bad.xsd'), '<xs:schema')
    assert.match(await said('xmlSchema: bad.xsd'), /the XML Schema cannot be used/)
    writeFileSync(join(folder, 'good.xsd'), XSD)
    writeFileSync(join(folder, 'harbour.json'), JSON.stringify(harbour))
    assert.equal(await said('profile: harbour.json, xmlSchema: good.xsd'), '')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
