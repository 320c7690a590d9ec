import { fileTableKind, sizeIn } from './file-table.ts'
import { statedChecksum } from './stated-checksum.ts'

const HASHES = ['md5', 'sha1', 'sha256', 'sha512'] as const

/** `sf -csv -hash sha256`. A file that several identifiers know has several rows. */
export const siegfriedCsv = fileTableKind({
  id: 'siegfried-csv',
  summary: 'formats, sizes and checksums written by Siegfried',
  listsAllFiles: true,
  isHeader: (names) =>
    ['filename', 'filesize', 'modified', 'errors'].every((name) => names.has(name)),
  toStatement(cells, report) {
    const path = cells.get('filename')
    if (path === '') {
      report({ code: 'SOURCE.ENTRY_WITHOUT_PATH', place: cells.at('filename') })
      return undefined
    }
    const checksums = HASHES.flatMap((name) => {
      const written = cells.get(name)
      const one = written === '' ? undefined : statedChecksum(name, written, cells.at(name), report)
      return one === undefined ? [] : [one]
    })
    return { path, checksums, ...sizeIn(cells.get('filesize')), fields: cells.all }
  },
})
