import { hexLength, type Algorithm, type Place, type StatedChecksum } from '../model/checksum.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument, Statement } from '../model/source.ts'
import { readXml, type OpenElement, type XmlRecord } from './xml-gate.ts'

/**
 * One statement for each record of an XML document. `toStatement` answers undefined for a record
 * that cannot be used, which is reported, and 'nothing' for one that says nothing about a file.
 */
export async function* xmlStatements(
  document: SourceDocument,
  isRecord: (element: OpenElement) => boolean,
  toStatement: (record: XmlRecord, place: Place) => Statement | undefined | 'nothing',
  report: (finding: Finding) => void,
): AsyncGenerator<Statement> {
  let seen = false
  let broken = false
  const noted = (finding: Finding) => {
    broken ||= !/DOCTYPE|BYTE_ORDER/.test(finding.code)
    report(finding)
  }
  for await (const records of readXml(document, isRecord, noted)) {
    seen = true
    for (const record of records) {
      const place = { document: document.key, row: record.line, columnName: record.path }
      const statement = toStatement(record, place)
      if (statement === undefined) report({ code: 'MANIFEST.LINE_UNREADABLE', place })
      else if (statement !== 'nothing') yield statement
    }
  }
  if (!seen && !broken) {
    report({ code: 'METADATA.XML_NO_RECORDS', place: { document: document.key } })
  }
}

const algorithmOf: Readonly<Record<string, Algorithm>> = {
  md5: 'md5',
  sha1: 'sha1',
  sha256: 'sha256',
  sha512: 'sha512',
  crc32: 'crc32',
}

/**
 * A checksum by the name that METS, PREMIS and DFXML give its algorithm ("SHA-256"). Undefined
 * for algorithms that we do not compute; 'invalid' for a value that is none.
 */
export function statedChecksum(
  type: string | undefined,
  value: string | undefined,
  place: Place,
): StatedChecksum | 'invalid' | undefined {
  if (type === undefined || value === undefined) return undefined
  const algorithm = algorithmOf[type.toLowerCase().replace(/[^a-z0-9]/g, '')]
  if (algorithm === undefined) return undefined
  const hex = value.trim().toLowerCase()
  if (hex.length !== hexLength[algorithm] || !/^[0-9a-f]+$/.test(hex)) return 'invalid'
  return { algorithm, value: hex, place }
}

/** Undefined where one of them is invalid. */
export function soundChecksums(
  all: readonly (StatedChecksum | 'invalid' | undefined)[],
): readonly StatedChecksum[] | undefined {
  if (all.includes('invalid')) return undefined
  return all.filter((one): one is StatedChecksum => typeof one === 'object')
}

export function sizeOf(text: string | undefined): { readonly sizeBytes?: number } {
  return text !== undefined && /^\d{1,15}$/.test(text.trim()) ? { sizeBytes: Number(text) } : {}
}
