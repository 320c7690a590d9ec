import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import type { Finding } from '../model/finding.ts'
import { packageRoot } from '../package-root.ts'
import { bytesDocument } from './bytes-document.ts'
import { checkAgainstSchema, XmlSchemaError } from './xml-schema.ts'

const test = suite('XML schema')
const folder = join(packageRoot(), '..', 'shared', 'conformance', 'xsd')
const fixtures = join(packageRoot(), 'fixtures', 'sources')

async function check(
  content: Uint8Array | string,
  bytes: Uint8Array | string,
  beside = new Map<string, Uint8Array>(),
) {
  const findings: Finding[] = []
  await checkAgainstSchema(
    bytesDocument('metadata/a.xml', content),
    { bytes: Buffer.from(bytes), beside },
    (finding) => findings.push(finding),
  )
  return findings.map(({ place, detail }) => `${place?.row}: ${detail}`)
}

const small = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:complexType><xs:sequence>
<xs:element name="size" type="xs:long"/></xs:sequence><xs:attribute name="id" use="required"/></xs:complexType></xs:element></xs:schema>`

test('what breaks a schema is said by line, in plain words', async () => {
  assert.deepEqual(await check('<a id="1"><size>6</size></a>', small), [])
  assert.deepEqual(await check('<a id="1">\n<size>abc</size></a>', small), [
    '2: <size> has the value "abc", which is not one of the type long.',
  ])
  assert.deepEqual(await check('<a>\n<b/></a>', small), [
    '1: <a> lacks the attribute id.',
    '2: <b> cannot stand here. Here can stand: size.',
  ])
})

test('a schema that is none is a mistake of its own', async () => {
  await assert.rejects(check('<a/>', '<xs:schema'), XmlSchemaError)
})

test('PREMIS, METS, EAD and Dublin Core are checked by their published schemas', async () => {
  if (!existsSync(folder)) {
    console.log('SKIPPED published schemas: ../shared is not here')
    return
  }
  const beside = new Map(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]),
  )
  for (const [schema, fixture, expected] of [
    ['premis-v3.xsd', 'premis/good/premis3.xml', /^$/],
    ['mets-1.12.1.xsd', 'mets/good/mets.xml', /structMap/],
    ['ead_2002.xsd', 'finding-aid/good/ead2002.xml', /filedesc/],
    ['dc.xsd', 'finding-aid/good/dublin-core.xml', /metadata/],
  ] as const) {
    const said = await check(
      readFileSync(join(fixtures, fixture)),
      beside.get(schema) ?? '',
      beside,
    )
    assert.match(said.join('\n'), expected, schema)
  }
})

test.run()
