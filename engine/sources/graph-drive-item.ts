import type { Finding } from '../model/finding.ts'
import type { SourceKind, Statement } from '../model/source.ts'
import {
  fieldsOf,
  firstJsonRecord,
  objectOf,
  readJsonRecords,
  textOf,
  type JsonObject,
} from './json-records.ts'
import { statedChecksum } from './stated-checksum.ts'
import type { Place } from '../model/checksum.ts'

const LISTS: ReadonlySet<string> = new Set(['value'])

/** Microsoft Graph's driveItem: one object, pages with `value`, or pages one after another. */
export const graphDriveItem: SourceKind = {
  id: 'graph-drive-item',
  summary: 'driveItem resources from Microsoft Graph',
  listsAllFiles: true,
  recognise(document) {
    const first = firstJsonRecord(document, LISTS)
    return (
      first !== undefined &&
      'parentReference' in first &&
      'name' in first &&
      ('file' in first || 'folder' in first || 'package' in first)
    )
  },
  async *read(document, report) {
    for await (const { value, row } of readJsonRecords(document, LISTS, report)) {
      if ('file' in value && !('deleted' in value))
        yield* toStatement(value, { document: document.key, row }, report)
    }
  },
}

function* toStatement(
  item: JsonObject,
  place: Place,
  report: (finding: Finding) => void,
): Generator<Statement> {
  const name = textOf(item, 'name')
  if (name === undefined || name === '') {
    report({ code: 'SOURCE.ENTRY_WITHOUT_PATH', place })
    return
  }
  const size = item['size']
  const hashes = objectOf(objectOf(item, 'file') ?? {}, 'hashes') ?? {}
  const checksums = (['quickXorHash', 'sha256Hash', 'sha1Hash', 'crc32Hash'] as const).flatMap(
    (label) => {
      const written = textOf(hashes, label)
      if (written === undefined) return []
      const algorithm = label === 'quickXorHash' ? label : label.replace(/Hash$/, '')
      // Graph writes CRC-32 with its bytes the other way round, so it is compared with nothing.
      const one =
        label === 'crc32Hash' ? undefined : statedChecksum(algorithm, written, place, report)
      return one === undefined ? [] : [one]
    },
  )
  yield {
    place,
    path: folderOf(item) + name,
    checksums,
    ...(typeof size === 'number' && size >= 0 ? { sizeBytes: size } : {}),
    ...(checksums.length === 0
      ? { noChecksumBecause: 'Microsoft Graph gave no checksum of this file' }
      : {}),
    fields: fieldsOf(item),
  }
}

/** `/drives/{id}/root:/Finance/2024%20Q1` is `Finance/2024 Q1/`. */
function folderOf(item: JsonObject): string {
  const path = textOf(objectOf(item, 'parentReference') ?? {}, 'path') ?? ''
  const below = /root:(?:\/(.*))?$/s.exec(path)?.[1] ?? ''
  if (below === '') return ''
  try {
    return `${decodeURIComponent(below)}/`
  } catch (error) {
    if (error instanceof URIError) return `${below}/` // a name with a bare % in it
    throw error
  }
}
