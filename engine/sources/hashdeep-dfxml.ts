import type { SourceKind } from '../model/source.ts'
import { attributeOf, childrenOf, childText, textOf } from './xml-element.ts'
import { xmlHead } from './xml-head.ts'
import { sizeOf, soundChecksums, statedChecksum, xmlStatements } from './xml-statements.ts'

/** Digital Forensics XML, as hashdeep writes it with -d. */
export const hashdeepDfxml: SourceKind = {
  id: 'hashdeep-dfxml',
  summary: 'sizes and checksums written by hashdeep as DFXML',
  listsAllFiles: true,
  recognise: (document) => xmlHead(document)?.root.local === 'dfxml',
  read: (document, report) =>
    xmlStatements(
      document,
      ({ local }) => local === 'fileobject',
      ({ element }, place) => {
        const [name] = childrenOf(element, 'filename')
        const checksums = soundChecksums(
          childrenOf(element, 'hashdigest').map((digest) =>
            statedChecksum(attributeOf(digest, 'type'), textOf(digest), place),
          ),
        )
        const path = name === undefined ? '' : textOf(name)
        if (path === '' || checksums === undefined) return undefined
        return { place, path, checksums, ...sizeOf(childText(element, 'filesize')) }
      },
      report,
    ),
}
