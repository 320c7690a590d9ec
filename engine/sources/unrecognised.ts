import { codes } from '../model/codes.ts'
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

/**
 * Why a document is of no known kind, in one finding: what is wrong with its XML where that is what
 * hides its kind, else that nothing of ours is like it.
 */
export async function explainUnrecognised(
  document: SourceDocument,
  report: (finding: Finding) => void,
): Promise<void> {
  const markup = markupOf(document)
  let explained = false
  if (markup === 'XML') {
    const records = readXml(
      document,
      () => false,
      (finding) => {
        if (codes[finding.code].severity === 'error') explained = true
        report(finding)
      },
    )
    for await (const _records of records) continue
  }
  if (explained) return
  report({
    code: 'MANIFEST.NOT_RECOGNISED',
    place: { document: document.key },
    ...(markup === undefined ? {} : { value: markup }),
  })
}
