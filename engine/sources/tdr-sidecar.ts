import type { Finding } from '../model/finding.ts'
import type { FieldValue, SourceDocument, Statement } from '../model/source.ts'
import { duplicateNames } from './json-records.ts'

/** A value by any of several names, whatever their case: connectors spell them differently. */
type Fields = ReadonlyMap<string, unknown>

/** No sidecar comes near it. */
export const SIDECAR_LIMIT_BYTES = 1024 * 1024

/** Whether a document lying alone is a sidecar: by its name, or by a field that only sidecars have. */
export function isSidecar({ key, sizeBytes, head }: SourceDocument): boolean {
  if (sizeBytes > SIDECAR_LIMIT_BYTES) return false
  const start = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8')
  return key.endsWith('.metadata') || SIDECAR_START.test(start)
}

const SIDECAR_START = /^\ufeff?\s*\{[^]*"(?:FileRef|file_path|originalPath)"\s*:/i

/**
 * One of TDR's sidecars: the JSON object `metadata/{matchId}.metadata` that says what the record
 * `records/{matchId}` is. Sources: SharePoint, hard drive, network drive, DROID row, told apart by
 * their field names. Returns undefined where it says nothing usable; `report` is told why.
 */
export function readSidecar(
  bytes: Uint8Array,
  key: string,
  report: (finding: Finding) => void,
): Statement | undefined {
  const place = { document: key }
  let value: unknown
  let whole: string
  try {
    whole = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    value = JSON.parse(whole)
  } catch (error) {
    report({
      code: error instanceof SyntaxError ? 'SIDECAR.JSON_INVALID' : 'SIDECAR.NOT_UTF8',
      place,
    })
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report({ code: 'SIDECAR.JSON_INVALID', place, detail: 'It is not a JSON object.' })
    return undefined
  }
  for (const { name, row } of twice(whole, value))
    report({ code: 'SOURCE.JSON_NAME_TWICE', place: { ...place, row }, value: name })
  const fields: Fields = new Map(
    Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]),
  )
  const matchId = text(fields, 'matchid')
  const expectedId = /([^/]+)\.metadata$/.exec(key)?.[1]
  if (matchId !== undefined && expectedId !== undefined && matchId !== expectedId) {
    report({ code: 'SIDECAR.MATCH_ID_DIFFERS', place, value: matchId, expected: expectedId })
  }
  const path = pathOf(fields)
  if (path === undefined) {
    report({ code: 'SIDECAR.PATH_MISSING', place })
    return undefined
  }
  const checksum = text(
    fields,
    'sha256clientsidechecksum',
    'client_side_checksum',
    'sha256_hash',
    'checksum',
  )
  const isSha256 = checksum !== undefined && /^[0-9a-f]{64}$/i.test(checksum)
  if (checksum !== undefined && !isSha256)
    report({ code: 'SIDECAR.CHECKSUM_INVALID', path, place, value: checksum })
  const sizeText = text(fields, 'length', 'file_size', 'filesize', 'size')
  const size = sizeText !== undefined && /^\d+$/.test(sizeText) ? Number(sizeText) : undefined
  return {
    place,
    path,
    checksums: isSha256 ? [{ algorithm: 'sha256', value: checksum.toLowerCase(), place }] : [],
    ...(size === undefined ? {} : { sizeBytes: size }),
    fields: Object.fromEntries(Object.entries(value) as [string, FieldValue][]),
    ...(expectedId === undefined ? {} : { matchId: expectedId }),
  }
}

/** Names that come twice. Counting first: a hundred thousand sidecars are read with JSON.parse alone. */
function twice(whole: string, value: object): ReturnType<typeof duplicateNames> {
  const written = whole.match(/"\s*:/g)?.length ?? 0
  return written === namesIn(value) ? [] : duplicateNames(whole)
}

function namesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value).reduce<number>((sum, one) => sum + namesIn(one), 0)
  return inner + (Array.isArray(value) ? 0 : Object.keys(value).length)
}

function text(fields: Fields, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = fields.get(name)
    if (typeof value === 'string' && value !== '') return value
    if (typeof value === 'number') return String(value)
  }
  return undefined
}

function pathOf(fields: Fields): string | undefined {
  const sharePoint = text(fields, 'fileref')
  if (sharePoint !== undefined)
    return sharePointPath(sharePoint, text(fields, 'sitename'), text(fields, 'libraryname'))
  const drive = text(fields, 'file_path', 'originalpath')
  if (drive === undefined) return undefined
  return afterContentFolder(drive.replaceAll('\\', '/'))
}

/** `/sites/{site}/{library}/rest` becomes `{site}/{library}/rest`, with display names where given. */
function sharePointPath(
  fileRef: string,
  siteName: string | undefined,
  libraryName: string | undefined,
): string {
  const match = /^\/?sites\/([^/]+)\/([^/]+)\/(.+)$/.exec(fileRef)
  if (match === null) return fileRef.replace(/^\/+/, '')
  const [, site = '', library = '', rest = ''] = match
  return `${siteName ?? site}/${libraryName ?? library}/${rest}`
}

/** TDR's hard drives keep records below a folder `content`; what lies above it says nothing. */
function afterContentFolder(path: string): string {
  const match = /(?:^|\/)[cC]ontent\/(.+)$/s.exec(path)
  return match?.[1] ?? path.replace(/^[A-Za-z]:\//, '').replace(/^\/+/, '')
}
