import type { SourceDocument, SourceKind } from '../model/source.ts'
import { xmlHead } from './xml-head.ts'
import { readXml } from './xml-gate.ts'

const DUBLIN_CORE = ['http://purl.org/dc/elements/1.1/', 'http://purl.org/dc/terms/']

/** EAD and Dublin Core: kept as sent, and only read for being well-formed. */
export const findingAid: SourceKind = {
  id: 'finding-aid',
  summary: 'a finding aid (EAD) or Dublin Core description, kept and not checked row by row',
  listsAllFiles: false,
  recognise,
  async *read(document, report) {
    // No record is wanted, so that none comes.
    for await (const _records of readXml(document, () => false, report)) yield* []
  },
}

function recognise(document: SourceDocument): boolean {
  const head = xmlHead(document)
  if (head === undefined) return false
  if (head.root.local === 'ead') return true
  const [, child] = head.elements
  return DUBLIN_CORE.includes(head.root.uri) || DUBLIN_CORE.includes(child?.uri ?? '')
}
