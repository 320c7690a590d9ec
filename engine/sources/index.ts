import type { SourceDocument, SourceKind } from '../model/source.ts'
import { bagManifest } from './bagit.ts'
import { checksumList } from './checksum-list.ts'
import { droid } from './droid.ts'
import { googleDrive } from './google-drive.ts'
import { graphDriveItem } from './graph-drive-item.ts'
import { hashdeep } from './hashdeep.ts'
import { powershellFileHash } from './powershell-filehash.ts'
import { rclone } from './rclone.ts'
import { robocopy } from './robocopy.ts'
import { sharePointCsv } from './sharepoint-csv.ts'
import { siegfriedCsv } from './siegfried-csv.ts'
import { siegfriedJson } from './siegfried-json.ts'
import { findingAid } from './finding-aid.ts'
import { hashdeepDfxml } from './hashdeep-dfxml.ts'
import { mets } from './mets.ts'
import { premis } from './premis.ts'
import { sharePointListXml } from './sharepoint-list-xml.ts'
import { tdrMetadataCsv } from './tdr-metadata-csv.ts'
import { tdrMetadataXml } from './tdr-metadata-xml.ts'

/** Every kind of document that is understood, the most particular first. Add yours here. */
export const sourceKinds: readonly SourceKind[] = [
  bagManifest,
  hashdeep,
  hashdeepDfxml,
  mets,
  premis,
  sharePointListXml,
  tdrMetadataXml,
  findingAid,
  robocopy,
  rclone,
  graphDriveItem,
  googleDrive,
  siegfriedJson,
  powershellFileHash,
  droid,
  siegfriedCsv,
  tdrMetadataCsv,
  sharePointCsv,
  checksumList,
]

/** What a document is, by its content. */
export function recogniseSource(document: SourceDocument): SourceKind | undefined {
  return sourceKinds.find((kind) => kind.recognise(document))
}
