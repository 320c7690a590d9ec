import type { SourceKind } from '../model/source.ts'
import { attributeOf, childrenOf, childText, type XmlElement } from './xml-element.ts'
import { xmlHead } from './xml-head.ts'
import { sizeOf, soundChecksums, statedChecksum, xmlStatements } from './xml-statements.ts'

const NAMESPACES = ['info:lc/xmlns/premis-v2', 'http://www.loc.gov/premis/v3']

/** The file objects of a PREMIS document, version 2 or 3. */
export const premis: SourceKind = {
  id: 'premis',
  summary: 'the files of a PREMIS document',
  listsAllFiles: false,
  recognise: (document) => {
    const root = xmlHead(document)?.root
    return root !== undefined && root.local === 'premis' && NAMESPACES.includes(root.uri)
  },
  read: (document, report) =>
    xmlStatements(
      document,
      ({ local, uri }) => local === 'object' && NAMESPACES.includes(uri),
      ({ element }, place) => {
        const type = attributeOf(element, 'type')
        if (type !== undefined && !/(^|:)file$/.test(type)) return 'nothing'
        const characteristics = childrenOf(element, 'objectCharacteristics')
        const checksums = soundChecksums(
          characteristics
            .flatMap((one) => childrenOf(one, 'fixity'))
            .map((fixity) =>
              statedChecksum(
                childText(fixity, 'messageDigestAlgorithm'),
                childText(fixity, 'messageDigest'),
                place,
              ),
            ),
        )
        const path = childText(element, 'originalName') ?? contentLocation(element)
        if (path === undefined || path === '' || checksums === undefined) return undefined
        const size = characteristics.map((one) => childText(one, 'size')).find(Boolean)
        return { place, path, checksums, ...sizeOf(size) }
      },
      report,
    ),
}

function contentLocation(element: XmlElement): string | undefined {
  return childrenOf(element, 'storage')
    .flatMap((storage) => childrenOf(storage, 'contentLocation'))
    .map((location) => childText(location, 'contentLocationValue'))
    .find((value) => value !== undefined && value !== '')
}
