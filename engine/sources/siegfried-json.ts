import type { SourceKind } from '../model/source.ts'
import { fieldsOf, firstJsonRecord, readJsonRecords, textOf } from './json-records.ts'
import { statedChecksum } from './stated-checksum.ts'

const LISTS: ReadonlySet<string> = new Set(['files'])
const HASHES = ['md5', 'sha1', 'sha256', 'sha512', 'crc'] as const

/** `sf -json -hash sha256`: file names, sizes, formats, and one checksum each where it was asked for. */
export const siegfriedJson: SourceKind = {
  id: 'siegfried-json',
  summary: 'formats, sizes and checksums written by Siegfried',
  listsAllFiles: true,
  recognise(document) {
    const first = firstJsonRecord(document, LISTS)
    return first !== undefined && 'filename' in first && 'filesize' in first && 'matches' in first
  },
  async *read(document, report) {
    for await (const { value, row } of readJsonRecords(document, LISTS, report)) {
      const place = { document: document.key, row }
      const path = textOf(value, 'filename')
      if (path === undefined || path === '') {
        report({ code: 'SOURCE.ENTRY_WITHOUT_PATH', place })
        continue
      }
      const size = value['filesize']
      const checksums = HASHES.flatMap((name) => {
        const written = textOf(value, name)
        if (written === undefined) return []
        const one = statedChecksum(name === 'crc' ? 'crc32' : name, written, place, report)
        return one === undefined ? [] : [one]
      })
      yield {
        place,
        path,
        checksums,
        ...(typeof size === 'number' ? { sizeBytes: size } : {}),
        fields: fieldsOf(value),
      }
    }
  },
}
