import type { SourceDocument, SourceKind } from '../model/source.ts'
import { checksumList } from './checksum-list.ts'
import { hashdeep } from './hashdeep.ts'
import { tdrMetadataCsv } from './tdr-metadata-csv.ts'

/** Every kind of document that is understood, the most particular first. Add yours here. */
export const sourceKinds: readonly SourceKind[] = [hashdeep, tdrMetadataCsv, checksumList]

/** What a document is, by its content. */
export function recogniseSource(document: SourceDocument): SourceKind | undefined {
  return sourceKinds.find((kind) => kind.recognise(document))
}
