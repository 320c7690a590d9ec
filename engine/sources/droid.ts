import { fileTableKind, sizeIn } from './file-table.ts'
import { statedChecksum } from './stated-checksum.ts'

const HASHES = ['MD5_HASH', 'SHA1_HASH', 'SHA256_HASH', 'SHA512_HASH'] as const

/** DROID's CSV export. A file with several formats has longer rows; folders have rows of their own. */
export const droid = fileTableKind({
  id: 'droid',
  summary: 'formats, sizes and checksums exported by DROID',
  listsAllFiles: true,
  ragged: true,
  isHeader: (names) => ['file_path', 'puid', 'type'].every((name) => names.has(name)),
  toStatement(cells, report) {
    if (cells.get('TYPE').toLowerCase() === 'folder') return undefined
    const path = cells.get('FILE_PATH')
    if (path === '') {
      report({ code: 'SOURCE.ENTRY_WITHOUT_PATH', place: cells.at('FILE_PATH') })
      return undefined
    }
    // Files inside archives are rows too (`zip:file:/...!/inner`), and are not files of the transfer.
    if (/^(?:zip|tar|gz|rar|7z|arc|warc):/i.test(cells.get('URI'))) return undefined
    const checksums = HASHES.flatMap((column) => {
      const written = cells.get(column)
      if (written === '') return []
      const one = statedChecksum(column.replace('_HASH', ''), written, cells.at(column), report)
      return one === undefined ? [] : [one]
    })
    return {
      path,
      checksums,
      ...sizeIn(cells.get('SIZE')),
      fields: cells.all,
    }
  },
})
