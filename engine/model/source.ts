import type { Place, StatedChecksum } from './checksum.ts'
import type { Finding } from './finding.ts'

/**
 * What one line, row or element of a sender's document says about one file. Manifests, sidecars
 * and metadata tables all reduce to this: `checksums` for a manifest line, `fields` for a
 * metadata row, often both.
 */
export type Statement = {
  readonly place: Place
  /** Path exactly as written, after the kind's own unescaping only. */
  readonly path: string
  readonly sizeBytes?: number
  readonly checksums: readonly StatedChecksum[]
  /** Metadata, by the profile's property name (`file_path`, `closure_type`, ...); unknown ones by their own. */
  readonly fields?: Readonly<Record<string, FieldValue>>
  /** Where one field was said, where that is more exact than `place`. */
  readonly fieldPlace?: (property: string) => Place | undefined
  /** Set where the document says that no checksum can exist (Google-native documents). */
  readonly noChecksumBecause?: string
  /** Several files of one name are legal where this comes from; which of them arrived cannot be told. */
  readonly mayRepeat?: true
  /** For sidecars: the record's key is `records/{matchId}`, whatever `path` says. */
  readonly matchId?: string
}

/** Kept in the type that the document had: a closure of `false` is not a closure of "false". */
export type FieldValue = string | number | boolean | null | readonly FieldValue[]

/** A document under `metadata/`, readable from its start as often as needed. */
export type SourceDocument = {
  /** Key below the transfer's root, for places: `metadata/manifest.sha256`. */
  readonly key: string
  readonly sizeBytes: number
  /** The first 64 KiB, or all of a shorter document. */
  readonly head: Uint8Array
  open(): AsyncIterable<Uint8Array>
  /** Set for a tag file of a BagIt bag. */
  readonly bag?: BagDeclaration
}

/** What bagit.txt declares for all tag files of its bag. */
export type BagDeclaration = {
  readonly version: readonly [major: number, minor: number]
  readonly encoding: 'utf-8' | 'windows-1252' | 'utf-16'
}

/**
 * One kind of document that senders produce: a checksum manifest, a metadata table, a sidecar.
 * Kinds are told apart by content, never by name alone.
 *
 * `read` yields every statement it can and calls `report` for every line it cannot use; it ends
 * early only when the whole document is unusable. It never throws for what a sender wrote.
 */
export type SourceKind = {
  readonly id: string
  /** One sentence for the report ("checksums written by sha256sum"). */
  readonly summary: string
  /** Whether every received file should be in it, so that one that is not is unexpected. */
  readonly listsAllFiles: boolean
  /** Its rows are what a sender says of records, and are checked against the profile. */
  readonly isMetadata?: true
  recognise(document: SourceDocument): boolean
  read(document: SourceDocument, report: (finding: Finding) => void): AsyncIterable<Statement>
}
