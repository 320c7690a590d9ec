import type { FileFacts } from '../model/check.ts'

/**
 * The one door to bytes that outlive the process: a folder, or an S3 bucket and prefix. Drop
 * zones, engine state and reports are each a Store. Keys are "/"-separated and relative to the
 * store's root. A folder's names that are not UTF-8 carry each stray byte as U+DC80..U+DCFF.
 *
 * All methods throw StoreError and nothing else for what goes wrong outside the program.
 */
export interface Store {
  /** For messages to operators: a path or s3:// address, without credentials. */
  readonly address: string

  /**
   * List everything under `prefix`, in ascending UTF-8 byte order of the whole key.
   *
   * Pages load as you iterate, so millions of keys are fine. `startAfter` is exclusive and a
   * whole key. Order: S3 ListObjectsV2, general purpose buckets only.
   */
  list(options: ListOptions): AsyncIterable<StoredObject>

  /** The names of the "folders" directly under `prefix`, without "/"; and of objects there. In key order. */
  listLevel(prefix: string, options?: StoreCallOptions): AsyncIterable<LevelEntry>

  /** What a listing would say of one key; undefined when it is not there. */
  head(key: string, options?: StoreCallOptions): Promise<StoredObject | undefined>

  /**
   * How long ago an object was written, in milliseconds by the store's own clock, read in one
   * request: what two machines can agree on. undefined when it is not there. S3 counts seconds.
   */
  ageMs(key: string, options?: StoreCallOptions): Promise<number | undefined>

  /** Read a small object whole (state, complete.json). Throws 'tooLarge' over `maxBytes`. */
  readWhole(
    key: string,
    options: StoreCallOptions & { readonly maxBytes: number; readonly etag?: string },
  ): Promise<Uint8Array>

  /** Stream a document in order. With `etag`, throws 'changed' if the object is another one now. */
  stream(
    key: string,
    options?: StoreCallOptions & { readonly etag?: string; readonly startByte?: number },
  ): AsyncIterable<Uint8Array>

  /**
   * Push an object's bytes through `sink`, in order and once: the hot path. `bytes` is valid
   * only during the call. Large objects are fetched by ranges ahead of the sink.
   *
   * Resolves early, with `stopped: true`, soon after `shouldStop()` turns true (polled between
   * buffers). Throws 'changed' when the object is not the one that has `etag`.
   */
  feed(key: string, options: FeedOptions, sink: (bytes: Uint8Array) => void): Promise<FeedResult>

  /**
   * Read a small object at once, without a promise: where reading waits for no network (a folder).
   * The bytes are valid until the next read. undefined for an object that does not fit in the
   * buffer; throws 'changed' when it is not the one that has `etag`.
   */
  readonly readAtOnce?: (
    key: string,
    options: { readonly etag: string; readonly sizeBytes: number },
  ) => Uint8Array | undefined

  /** Object tags; a folder has none and returns undefined. */
  tags(
    key: string,
    options?: StoreCallOptions,
  ): Promise<Readonly<Record<string, string>> | undefined>

  /**
   * Add one tag to an object that is still the one with `etag`, beside those it has. Throws
   * 'unrepresentable' for a folder, 'changed' for another object.
   */
  addTag(
    key: string,
    tag: { readonly key: string; readonly value: string },
    options: StoreCallOptions & { readonly etag: string },
  ): Promise<void>

  /**
   * Write `bytes` under `key` if nothing is there. Durable before it resolves.
   *
   * Returns 'created', or 'exists' when somebody else was first: among any number of callers
   * exactly one is told 'created'. A half-written object is never visible.
   */
  createIfAbsent(
    key: string,
    bytes: Uint8Array | string,
    options?: StoreCallOptions,
  ): Promise<'created' | 'exists'>

  /**
   * Write a derived copy or a file named by its own digest, replacing what is there. Streamed,
   * visible only when whole.
   */
  write(
    key: string,
    body: Uint8Array | string | AsyncIterable<Uint8Array>,
    options?: StoreCallOptions,
  ): Promise<void>

  /** Whether an unfinished multipart upload lies under `prefix` (a transfer still arriving). */
  hasOpenUploads(prefix: string, options?: StoreCallOptions): Promise<boolean>

  /** What `doctor` tells of a store; nothing else depends on it. */
  inspect(options?: StoreCallOptions): Promise<StoreFacts>

  /** Release sockets. Idempotent. */
  close(): Promise<void>
}

export type StoreFacts = {
  /** The time the store has; undefined for a folder, whose clock is this machine's. */
  readonly clock?: Date
  /** Whether what is overwritten stays readable; undefined where we may not ask. A folder keeps none. */
  readonly keepsVersions?: boolean
}

export type StoreCallOptions = { readonly signal?: AbortSignal }

export type ListOptions = StoreCallOptions & {
  /** '' for all. Need not end at a "/". */
  readonly prefix: string
  readonly startAfter?: string
}

export type StoredObject = {
  readonly key: string
  readonly sizeBytes: number
  /** S3: the ETag without quotes. Folder: made of inode, size, mtime and ctime. */
  readonly etag: string
  /** A thing in a folder that is not a regular file. */
  readonly irregular?: 'symbolic link' | 'FIFO' | 'socket' | 'device'
}

export type LevelEntry = { readonly kind: 'folder' | 'object'; readonly name: string }

export type FeedOptions = StoreCallOptions & {
  readonly etag: string
  /** Known size from the inventory, to choose between one GET and ranges. */
  readonly sizeBytes: number
  /** Where to begin, for a resumed large file; default 0. */
  readonly startByte?: number
  readonly shouldStop: () => boolean
  /** Called once, before any byte, where the store keeps a checksum of the whole object. */
  readonly onStoredChecksum?: (algorithm: StoredChecksum['algorithm']) => void
}

export type StoredChecksum = NonNullable<FileFacts['storedChecksum']>

export type FeedResult = {
  readonly stopped: boolean
  readonly bytesFed: number
  /** S3 with versioning: the version that was read. */
  readonly versionId?: string
  readonly storedChecksum?: StoredChecksum
}

export type StoreErrorReason =
  | 'missing' // no such object
  | 'changed' // the object is not the one that was pinned
  | 'denied' // we may not
  | 'unavailable' // no answer, throttled, disk full, connection cut: may be retried
  | 'alreadyExists' // a write that may not replace found something in its way
  | 'unrepresentable' // this store cannot hold such a key
  | 'tooLarge' // larger than the caller's limit
  | 'aborted' // the caller's signal

/** The only error that crosses the Store boundary; SDK and fs errors are its `cause`. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly reason: StoreErrorReason
  readonly key: string
  constructor(
    reason: StoreErrorReason,
    key: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options)
    this.reason = reason
    this.key = key
  }
  get retryable(): boolean {
    return this.reason === 'unavailable'
  }
}

/** For the start of a call and for loops: the caller's own reason for the abort becomes the cause. */
export function refuseAborted(key: string, options: StoreCallOptions | undefined): void {
  if (options?.signal?.aborted === true)
    throw new StoreError('aborted', key, 'stopped by the caller', { cause: options.signal.reason })
}
