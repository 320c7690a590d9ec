import type { Finding } from '../model/finding.ts'
import type { SourceDocument, SourceKind, Statement } from '../model/source.ts'
import { fieldsOf, firstJsonRecord, objectOf, readJsonRecords, textOf } from './json-records.ts'
import { statedChecksum } from './stated-checksum.ts'

const NO_LISTS: ReadonlySet<string> = new Set()

/** `rclone lsjson --hash -R`: one object a file; the names of hashes differ by backend and version. */
export const rclone: SourceKind = {
  id: 'rclone-lsjson',
  summary: 'a file list written by rclone lsjson',
  listsAllFiles: true,
  recognise(document) {
    const first = firstJsonRecord(document, NO_LISTS)
    return first !== undefined && 'Path' in first && 'IsDir' in first && 'Size' in first
  },
  async *read(document, report) {
    for await (const { value, row } of readJsonRecords(document, NO_LISTS, report)) {
      if (value['IsDir'] === true) continue
      yield* toStatement(document, row, value, report)
    }
  },
}

function* toStatement(
  { key }: SourceDocument,
  row: number,
  value: Parameters<typeof textOf>[0],
  report: (finding: Finding) => void,
): Generator<Statement> {
  const place = { document: key, row }
  const path = textOf(value, 'Path')
  if (path === undefined || path === '') {
    report({ code: 'SOURCE.ENTRY_WITHOUT_PATH', place })
    return
  }
  const size = value['Size']
  const hashes = Object.entries(objectOf(value, 'Hashes') ?? {})
  const checksums = hashes.flatMap(([name, hash]) => {
    const one = typeof hash === 'string' ? statedChecksum(name, hash, place, report) : undefined
    return one === undefined ? [] : [one]
  })
  // rclone's word for a document that has no bytes until it is exported.
  const native = size === -1
  yield {
    place,
    path,
    checksums,
    ...(typeof size === 'number' && size >= 0 ? { sizeBytes: size } : {}),
    ...(native
      ? {
          noChecksumBecause:
            'rclone could not tell its size: a Google document has none of its own',
        }
      : {}),
    fields: fieldsOf(value),
  }
}
