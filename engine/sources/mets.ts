import type { SourceKind } from '../model/source.ts'
import { attributeOf, childrenOf } from './xml-element.ts'
import { xmlHead } from './xml-head.ts'
import { sizeOf, soundChecksums, statedChecksum, xmlStatements } from './xml-statements.ts'

const NAMESPACES = ['http://www.loc.gov/METS/', 'http://www.loc.gov/METS/v2']

/** The file section of a METS document, version 1 or 2. */
export const mets: SourceKind = {
  id: 'mets',
  summary: 'the files of a METS document',
  listsAllFiles: false,
  recognise: (document) => {
    const root = xmlHead(document)?.root
    return root !== undefined && root.local === 'mets' && NAMESPACES.includes(root.uri)
  },
  read: (document, report) =>
    xmlStatements(
      document,
      ({ local, uri }) => local === 'file' && NAMESPACES.includes(uri),
      ({ element }, place) => {
        const location = childrenOf(element, 'FLocat')[0]
        const href = location && (attributeOf(location, 'href') ?? attributeOf(location, 'LOCREF'))
        const checksums = soundChecksums([
          statedChecksum(
            attributeOf(element, 'CHECKSUMTYPE'),
            attributeOf(element, 'CHECKSUM'),
            place,
          ),
        ])
        // Embedded content (FContent) and files elsewhere on the web are not part of a transfer.
        if (href === undefined || /^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(href)) return 'nothing'
        if (href === '' || checksums === undefined) return undefined
        return { place, path: pathOf(href), checksums, ...sizeOf(attributeOf(element, 'SIZE')) }
      },
      report,
    ),
}

/** An href is a URI: escaped, perhaps with `file://` before it. One that is not is a plain path. */
function pathOf(href: string): string {
  const path = href.replace(/^file:(\/\/)?/i, '')
  try {
    return decodeURIComponent(path)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    return path
  }
}
