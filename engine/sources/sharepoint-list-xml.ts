import { mapColumnNames } from '../metadata/columns.ts'
import { tdrProfile } from '../metadata/profile.ts'
import type { SourceKind } from '../model/source.ts'
import type { XmlElement } from './xml-element.ts'
import { xmlHead } from './xml-head.ts'
import { sizeOf, xmlStatements } from './xml-statements.ts'

const ROWSET = '#RowsetSchema'

/** A SharePoint list as owssvr.dll writes it: `<z:row ows_FileRef="1;#sites/..." ...>`. */
export const sharePointListXml: SourceKind = {
  id: 'sharepoint-list-xml',
  summary: 'a SharePoint list exported as XML',
  listsAllFiles: true,
  isMetadata: true,
  recognise: (document) =>
    xmlHead(document)?.elements.some(
      ({ uri, local }) => (uri === ROWSET && local === 'row') || uri === ROWSET_DATA,
    ) === true,
  read: (document, report) =>
    xmlStatements(
      document,
      ({ uri, local }) => uri === ROWSET && local === 'row',
      ({ element }, place) => {
        const cells = cellsOf(element)
        if (cells.get('FSObjType') === '1') return 'nothing'
        const path = pathBelowLibrary(cells.get('FileRef') ?? '')
        if (path === '') return undefined
        const columns = [...cells].filter(([name]) => !SYSTEM.has(name))
        return {
          place,
          path,
          checksums: [],
          ...sizeOf(cells.get('File Size') ?? cells.get('Length')),
          // A list without columns of the profile says only which files there are.
          ...(cells.has('closure status')
            ? { fields: mapColumnNames(tdrProfile, Object.fromEntries(columns)) }
            : {}),
          noChecksumBecause: 'a list exported from SharePoint states no checksums',
        }
      },
      report,
    ),
}

const ROWSET_DATA = 'urn:schemas-microsoft-com:rowset'
const SYSTEM: ReadonlySet<string> = new Set(['FSObjType', 'FileRef', 'FileLeafRef', 'File Size'])

/** Attributes by column: without `ows_`, `_x0020_` decoded, and without the `1;#` of lookups. */
function cellsOf(element: XmlElement): Map<string, string> {
  const cells = new Map<string, string>()
  for (const [name, value] of element.attributes) {
    if (!name.startsWith('ows_')) continue
    const column = name
      .slice('ows_'.length)
      .replace(/_x([0-9a-f]{4})_/gi, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      )
    cells.set(column, value.replace(/^\d+;#/, ''))
  }
  return cells
}

/** `sites/{site}/{library}/rest` is `rest`: what lies above belongs to SharePoint. */
function pathBelowLibrary(path: string): string {
  return /^\/?sites\/[^/]+\/[^/]+\/(.+)$/.exec(path)?.[1] ?? path.replace(/^\/+/, '')
}
