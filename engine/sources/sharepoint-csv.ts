import { mapColumnNames } from '../metadata/columns.ts'
import { tdrProfile } from '../metadata/profile.ts'
import { readCsvFront } from './csv-front.ts'
import { sniffEncoding } from './decode.ts'
import { fileTableKind, sizeIn } from './file-table.ts'
import type { SourceKind } from '../model/source.ts'

/**
 * A SharePoint list exported as CSV: "CSV with schema", whose first line is `ListSchema=...`, or
 * plain, told by its columns `Name`, `Item Type` and `Path`. Display names that are columns of the
 * profile are checked by it; all others are kept.
 */
const table = fileTableKind({
  id: 'sharepoint-csv',
  summary: 'a SharePoint list exported as CSV',
  listsAllFiles: true,
  isMetadata: true,
  isHeader: (names) => names.has('name') || names.has('fileleafref'),
  toStatement(cells, report) {
    if (cells.get('Item Type').toLowerCase() === 'folder') return undefined
    const name = cells.get('Name') || cells.get('FileLeafRef')
    if (name === '') {
      report({ code: 'SOURCE.ENTRY_WITHOUT_PATH', place: cells.at('Name') })
      return undefined
    }
    const folder = folderIn(cells.get('Path') || cells.get('FileDirRef'))
    return {
      path: folder + name,
      checksums: [],
      ...sizeIn(cells.get('File Size')),
      fields: mapColumnNames(tdrProfile, cells.all),
      noChecksumBecause: 'a list exported from SharePoint states no checksums',
    }
  },
})

export const sharePointCsv: SourceKind = {
  ...table,
  recognise(document) {
    const { encoding, bomBytes } = sniffEncoding(document.head)
    const text = new TextDecoder(encoding).decode(document.head.subarray(bomBytes), {
      stream: true,
    })
    if (text.startsWith('ListSchema={')) return readCsvFront(text, true) !== undefined
    const header =
      text
        .slice(0, 4000)
        .split(/\r\n|\n|\r/, 1)[0]
        ?.toLowerCase() ?? ''
    return ['name', 'item type', 'path'].every((name) =>
      new RegExp(`(?:^|[,;\\t"])${name}(?:$|[,;\\t"])`).test(header),
    )
  },
}

/** `sites/{site}/{library}/rest` is `rest/`: what lies above belongs to SharePoint. */
function folderIn(path: string): string {
  const rest = /^\/?sites\/[^/]+\/[^/]+(?:\/(.+?))?\/?$/.exec(path)
  const folder = rest === null ? path.replace(/^\/+|\/+$/g, '') : (rest[1] ?? '')
  return folder === '' ? '' : `${folder}/`
}
