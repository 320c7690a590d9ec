import type { SealedDocument } from '../adapters/sealed-document.ts'
import type { StoreErrorReason } from '../adapters/store.ts'
import type { Profile } from '../metadata/profile.ts'
import type { MetadataCheck } from '../sources/check-metadata.ts'
import type { CheckOutcome, JobSettings } from '../model/check.ts'
import type { Algorithm, Digests, StatedChecksum } from '../model/checksum.ts'
import type { UncheckedReason } from '../model/finding.ts'
import type { InventoryEntry } from '../model/inventory.ts'

/**
 * How a worker opens a store of its own: functions and sockets cannot cross to a thread, so the
 * description does.
 */
export type StoreAddress =
  | { readonly kind: 'folder'; readonly path: string }
  | {
      readonly kind: 's3'
      readonly bucket: string
      readonly prefix: string
      readonly region?: string
      readonly endpoint?: string
      readonly forcePathStyle?: boolean
      /** 'WHEN_REQUIRED' for S3 look-alikes that refuse checksum trailers. */
      readonly requestChecksums?: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED'
    }

/** The one message to a worker: everything it needs to check one chunk. */
export type ChunkTask = {
  readonly store: StoreAddress
  /** Prefix of the transfer in the store, ending in "/"; keys are below it, or below an entry's own `root`. */
  readonly transferPrefix: string
  readonly entries: readonly InventoryEntry[]
  /** YYYY-MM-DD: the day of sealing, which rules about dates call today. */
  readonly sealedOn: string
  readonly jobIds: readonly string[]
  readonly settings: JobSettings
  /** One Int32 shared with the main thread: not 0 means stop soon. */
  readonly stopFlag: SharedArrayBuffer
  /** Where the state store is, for checkpoints of large files. */
  readonly checkpoints: { readonly store: StoreAddress; readonly prefix: string }
  readonly limits: ReadLimits
}

/** The message that has one metadata document checked, row by row. */
export type MetadataTask = {
  readonly store: StoreAddress
  readonly document: Pick<SealedDocument, 'key' | 'sizeBytes' | 'etag' | 'root'>
  /** Of the document: which reader. */
  readonly kind: string
  readonly profile: Profile
  /** YYYY-MM-DD: the day of sealing. */
  readonly today: string
  /** A schema for documents that are XML, and what it may include, by file name. */
  readonly xmlSchema?: FrozenXmlSchema
  /** Where the worker writes the findings, a JSON line each: they may be as many as there are cells. */
  readonly findingsFile: string
  readonly stopFlag: SharedArrayBuffer
}

export type FrozenXmlSchema = {
  readonly text: string
  readonly beside: Readonly<Record<string, string>>
}

export type MetadataReply =
  | ({ readonly kind: 'checked' } & MetadataCheck)
  | { readonly kind: 'handed back' }
  /** The document could not be read; as the store said. */
  | { readonly kind: 'store'; readonly reason: StoreErrorReason; readonly message: string }
  | { readonly kind: 'bug'; readonly message: string }

export type ReadLimits = {
  /** Files larger than this are hashed with a resumable state. */
  readonly resumableAboveBytes: number
  readonly checkpointEveryBytes: number
  /** Objects read at once by one thread; more than 1 only helps where reads wait on a network. */
  readonly concurrentReads: number
}

/** The one message back: text rather than objects, because it is stored as text. Never an exception: classes and codes are lost between threads. */
export type ChunkReply =
  | {
      readonly kind: 'checked'
      /** A CheckedFile as JSON for each entry, in their order; S3 versions left out. */
      readonly lines: readonly string[]
      /** S3 versions that were read, by position; none where the store has none. */
      readonly versions: readonly (string | null)[]
      readonly tallies: JobTallies
      /** Why something was unchecked that may succeed later; each reason once. */
      readonly retryable: readonly UncheckedReason[]
    }
  /** The stop flag was seen; nothing of the chunk counts. */
  | { readonly kind: 'handed back' }
  /** A promise in our code was broken; the run ends with this. */
  | { readonly kind: 'bug'; readonly message: string }

/** By job id; merged with the job's own `merge`. */
export type JobTallies = Readonly<Record<string, unknown>>

export type CheckedFile = {
  readonly key: string
  /** The sender's path: the inventory's, or the sidecar's where the record has one. */
  readonly path: string
  readonly stated: readonly StatedChecksum[]
  readonly bytesRead: number
  /** Empty when the file could not be read. */
  readonly digests: Digests
  /** By job id. */
  readonly outcomes: Readonly<Record<string, CheckOutcome>>
}

const SHA256_ALONE: readonly Algorithm[] = ['sha256']

/** Which digests a file needs: SHA-256 always, and whatever was stated. */
export function neededAlgorithms(entry: InventoryEntry): readonly Algorithm[] {
  if (entry.stated.length === 0) return SHA256_ALONE
  return [...new Set<Algorithm>(['sha256', ...entry.stated.map((stated) => stated.algorithm)])]
}
