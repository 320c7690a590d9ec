import { fileTableKind } from './file-table.ts'
import { statedChecksum } from './stated-checksum.ts'

/** `Get-FileHash | Export-Csv`, from any PowerShell: with `#TYPE` or not, UTF-8 or UTF-16. */
export const powershellFileHash = fileTableKind({
  id: 'powershell-filehash',
  summary: 'checksums written by PowerShell Get-FileHash',
  listsAllFiles: true,
  isHeader: (names) =>
    names.size <= 6 && ['algorithm', 'hash', 'path'].every((name) => names.has(name)),
  toStatement(cells, report) {
    const path = cells.get('Path')
    if (path === '') {
      report({ code: 'SOURCE.ENTRY_WITHOUT_PATH', place: cells.at('Path') })
      return undefined
    }
    const hash = cells.get('Hash')
    const one = statedChecksum(cells.get('Algorithm'), hash, cells.at('Hash'), report)
    return { path, checksums: one === undefined ? [] : [one] }
  },
})
