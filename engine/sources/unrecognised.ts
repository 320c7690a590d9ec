import type { Finding } from '../model/finding.ts'
import type { SourceDocument } from '../model/source.ts'
import { readXml } from './xml-gate.ts'
import { xmlHeadText } from './xml-decode.ts'

/** Whether a document of no known kind is XML or JSON, and so can be no table either. */
export function markupOf(document: SourceDocument): 'XML' | 'JSON' | undefined {
  const [first = ''] = xmlHeadText(document).trimStart()
  if (first === '<') return 'XML'
  return first === '{' || first === '[' ? 'JSON' : undefined
}

/** Why a document was not recognised, as far as it can be told: what is wrong with its XML, then that. */
export async function explainUnrecognised(
  document: SourceDocument,
  report: (finding: Finding) => void,
): Promise<void> {
  const markup = markupOf(document)
  if (markup === 'XML')
    for await (const _records of readXml(document, () => false, report)) continue
  report({
    code: 'MANIFEST.NOT_RECOGNISED',
    place: { document: document.key },
    ...(markup === undefined ? {} : { value: markup }),
  })
}
