import {
  bodyOf,
  cut,
  discard,
  factsOf,
  keyIn,
  levelOf,
  unquoted,
  type ByteRange,
} from './s3-answers.ts'
import { loadSdk, timeOfAnswer, type Loaded, type S3Address } from './s3-client.ts'
import { s3ErrorFor } from './s3-errors.ts'
import {
  refuseAborted,
  StoreError,
  type FeedOptions,
  type FeedResult,
  type LevelEntry,
  type ListOptions,
  type Store,
  type StoreCallOptions,
  type StoredObject,
} from './store.ts'

const RANGE_BYTES = 8 * 1024 * 1024 // AWS's advice for parallel ranges: 8 or 16 MB
const RANGES_AHEAD = 4 // 32 MB a reader: enough for a few hundred MB/s at 100 ms latency
const SINGLE_GET_BYTES = 2 * RANGE_BYTES
const KEY_LIMIT_BYTES = 1024
const IDLE_SOCKET_MS = 30_000

/** A bucket and prefix as a Store. The SDK is loaded at the first call. */
export function createS3Store(address: S3Address, idleMs = IDLE_SOCKET_MS): Store {
  const { bucket: Bucket, prefix } = address
  let loaded: Promise<Loaded> | undefined
  const load = () => (loaded ??= loadSdk(address, idleMs))

  /**
   * S3 takes "a/../b" for a name like any other; proxies and look-alikes take it for "b", outside of
   * `prefix` perhaps. Only a read that is pinned by an ETag cannot get the wrong object by it.
   */
  function fullKey(key: string, pinned = false): string {
    const whole = prefix + key
    const why = !whole.isWellFormed()
      ? 'is not valid Unicode'
      : Buffer.byteLength(whole) > KEY_LIMIT_BYTES
        ? 'is longer than 1,024 bytes'
        : whole === ''
          ? 'is empty'
          : !pinned && /(?:^|\/)\.\.?(?:\/|$)/.test(key)
            ? 'has a name that means another folder'
            : undefined
    if (why !== undefined)
      throw new StoreError(
        'unrepresentable',
        key,
        `S3 cannot safely hold ${JSON.stringify(key.slice(0, 200))}: it ${why}`,
      )
    return whole
  }

  async function call<T>(
    key: string,
    options: StoreCallOptions | undefined,
    send: (sdk: Loaded) => Promise<T>,
  ): Promise<T> {
    try {
      refuseAborted(key, options)
      return await send(await load())
    } catch (error) {
      refuseAborted(key, options) // the SDK passes on whatever the caller's reason was
      throw s3ErrorFor(error, key)
    }
  }

  const abort = (options: StoreCallOptions | undefined) =>
    options?.signal === undefined ? {} : { abortSignal: options.signal }

  /** One GET, whole or a range, pinned where an ETag is known. */
  function get(
    key: string,
    options: StoreCallOptions | undefined,
    more: { readonly etag?: string | undefined; readonly range?: ByteRange | undefined },
  ) {
    return call(key, options, ({ client, sdk }) =>
      client.send(
        new sdk.GetObjectCommand({
          Bucket,
          Key: fullKey(key, more.etag !== undefined),
          ...(more.etag === undefined ? {} : { IfMatch: `"${more.etag}"` }),
          ...(more.range === undefined
            ? {}
            : { Range: `bytes=${more.range.start}-${more.range.end ?? ''}` }),
        }),
        abort(options),
      ),
    )
  }

  return {
    address: `s3://${Bucket}/${prefix}`,

    async *list(options: ListOptions) {
      let token: string | undefined
      do {
        const page = await call(options.prefix, options, ({ client, sdk }) =>
          client.send(
            new sdk.ListObjectsV2Command({
              Bucket,
              Prefix: prefix + options.prefix,
              EncodingType: 'url',
              ...(token === undefined
                ? options.startAfter === undefined
                  ? {}
                  : { StartAfter: prefix + options.startAfter }
                : { ContinuationToken: token }),
            }),
            abort(options),
          ),
        )
        for (const object of page.Contents ?? []) {
          const key = keyIn(page, object.Key).slice(prefix.length)
          // A console "folder" is an empty object whose key ends in "/": it holds no record.
          if (key !== '' && !(key.endsWith('/') && object.Size === 0))
            yield { key, sizeBytes: object.Size ?? 0, etag: unquoted(object.ETag) }
        }
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined
      } while (token !== undefined)
    },

    async *listLevel(level: string, options?: StoreCallOptions): AsyncGenerator<LevelEntry> {
      const at = prefix + level
      let token: string | undefined
      do {
        const page = await call(level, options, ({ client, sdk }) =>
          client.send(
            new sdk.ListObjectsV2Command({
              Bucket,
              Prefix: at,
              Delimiter: '/',
              EncodingType: 'url',
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
            abort(options),
          ),
        )
        yield* levelOf(page, at)
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined
      } while (token !== undefined)
    },

    async head(key, options) {
      try {
        const head = await call(key, options, ({ client, sdk }) =>
          client.send(new sdk.HeadObjectCommand({ Bucket, Key: fullKey(key) }), abort(options)),
        )
        return {
          key,
          sizeBytes: head.ContentLength ?? 0,
          etag: unquoted(head.ETag),
        } satisfies StoredObject
      } catch (error) {
        if (error instanceof StoreError && error.reason === 'missing') return undefined
        throw error
      }
    },

    async ageMs(key, options) {
      try {
        return await call(key, options, async ({ client, sdk }) => {
          const command = new sdk.HeadObjectCommand({ Bucket, Key: fullKey(key) })
          const answer = await client.send(command, abort(options))
          const { LastModified } = answer
          const now = timeOfAnswer(answer)
          if (LastModified === undefined || now === undefined)
            throw new StoreError('unavailable', key, 'the answer does not say what time it is')
          return Math.max(0, now.getTime() - LastModified.getTime())
        })
      } catch (error) {
        if (error instanceof StoreError && error.reason === 'missing') return undefined
        throw error
      }
    },

    async readWhole(key, options) {
      const answer = await get(key, options, { etag: options.etag })
      const tooLarge = () =>
        new StoreError('tooLarge', key, `${key} is larger than ${options.maxBytes} bytes`)
      if ((answer.ContentLength ?? 0) > options.maxBytes) {
        discard(answer)
        throw tooLarge()
      }
      const pieces: Uint8Array[] = []
      let bytes = 0
      for await (const piece of bodyOf(key, answer, options)) {
        bytes += piece.byteLength
        if (bytes > options.maxBytes) throw tooLarge()
        pieces.push(piece)
      }
      return Buffer.concat(pieces)
    },

    async *stream(key, options) {
      const start = options?.startByte ?? 0
      const range = start === 0 ? undefined : { start }
      yield* bodyOf(key, await get(key, options, { etag: options?.etag, range }), options, range)
    },

    async feed(
      key: string,
      options: FeedOptions,
      sink: (bytes: Uint8Array) => void,
    ): Promise<FeedResult> {
      if (options.shouldStop()) return { stopped: true, bytesFed: 0 }
      // A ranged answer has no checksum of the whole, so what is resumed goes the way of large ones.
      if ((options.startByte ?? 0) > 0 || options.sizeBytes > SINGLE_GET_BYTES)
        return feedRanges(key, options, sink)
      const answer = await get(key, options, { etag: options.etag })
      const facts = factsOf(answer)
      if (facts.storedChecksum !== undefined)
        options.onStoredChecksum?.(facts.storedChecksum.algorithm)
      let bytesFed = 0
      for await (const piece of bodyOf(key, answer, options)) {
        if (options.shouldStop()) return { stopped: true, bytesFed }
        sink(piece)
        bytesFed += piece.byteLength
      }
      if (bytesFed !== options.sizeBytes) throw cut(key, bytesFed, options.sizeBytes)
      return { stopped: false, bytesFed, ...facts }
    },

    async tags(key, options) {
      const output = await call(key, options, ({ client, sdk }) =>
        client.send(new sdk.GetObjectTaggingCommand({ Bucket, Key: fullKey(key) }), abort(options)),
      )
      return Object.fromEntries(
        (output.TagSet ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']),
      )
    },

    async addTag(key, tag, options) {
      const head = await this.head(key, options)
      if (head?.etag !== options.etag)
        throw new StoreError('changed', key, `${key}: is not the object that was listed`)
      const before = await this.tags(key, options)
      if (before?.[tag.key] === tag.value) return
      const all = { ...before, [tag.key]: tag.value }
      const TagSet = Object.entries(all).map(([Key, Value]) => ({ Key, Value }))
      await call(key, options, ({ client, sdk }) =>
        client.send(
          new sdk.PutObjectTaggingCommand({ Bucket, Key: fullKey(key), Tagging: { TagSet } }),
          abort(options),
        ),
      )
    },

    async createIfAbsent(key, bytes, options) {
      try {
        await call(key, options, ({ client, sdk }) =>
          client.send(
            new sdk.PutObjectCommand({
              Bucket,
              Key: fullKey(key),
              Body: Buffer.from(bytes),
              IfNoneMatch: '*',
            }),
            abort(options),
          ),
        )
        return 'created'
      } catch (error) {
        if (error instanceof StoreError && error.reason === 'changed') return 'exists' // 412: the precondition
        throw error
      }
    },

    async write(key, content, options) {
      await call(key, options, async ({ client, uploading, sdk }) => {
        if (typeof content === 'string' || content instanceof Uint8Array) {
          await client.send(
            new sdk.PutObjectCommand({ Bucket, Key: fullKey(key), Body: Buffer.from(content) }),
            abort(options),
          )
          return
        }
        const [{ Upload }, { Readable }] = await Promise.all([
          import('@aws-sdk/lib-storage'),
          import('node:stream'),
        ])
        const upload = new Upload({
          client: uploading,
          params: {
            Bucket,
            Key: fullKey(key),
            Body: Readable.from(content, { objectMode: false }),
          },
          queueSize: 2,
          partSize: RANGE_BYTES,
        })
        const stop = () => void upload.abort()
        options?.signal?.addEventListener('abort', stop, { once: true })
        await upload.done().finally(() => options?.signal?.removeEventListener('abort', stop))
      })
    },

    async hasOpenUploads(under, options) {
      const page = await call(under, options, ({ client, sdk }) =>
        client.send(
          new sdk.ListMultipartUploadsCommand({ Bucket, Prefix: prefix + under, MaxUploads: 1 }),
          abort(options),
        ),
      )
      return (page.Uploads ?? []).length > 0
    },

    async inspect(options) {
      const listing = await call('', options, ({ client, sdk }) =>
        client.send(
          new sdk.ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 }),
          abort(options),
        ),
      )
      const clock = timeOfAnswer(listing)
      const versioning = await call('', options, ({ client, sdk }) =>
        client.send(new sdk.GetBucketVersioningCommand({ Bucket }), abort(options)),
      ).catch((error: unknown) => {
        // Asking takes a permission of its own that nothing else here needs.
        if (error instanceof StoreError && error.reason === 'denied') return undefined
        throw error
      })
      return {
        ...(clock === undefined ? {} : { clock }),
        ...(versioning === undefined ? {} : { keepsVersions: versioning.Status === 'Enabled' }),
      }
    },

    async close() {
      const opened = await loaded
      opened?.client.destroy()
      opened?.uploading.destroy()
    },
  }

  /** Several ranges are fetched ahead; the sink gets them in order. */
  async function feedRanges(
    key: string,
    options: FeedOptions,
    sink: (bytes: Uint8Array) => void,
  ): Promise<FeedResult> {
    const first = options.startByte ?? 0
    // A ranged answer carries no checksum of the whole, so one HEAD asks for it.
    const head = await call(key, options, ({ client, sdk }) =>
      client.send(
        new sdk.HeadObjectCommand({
          Bucket,
          Key: fullKey(key, true),
          IfMatch: `"${options.etag}"`,
          ChecksumMode: 'ENABLED',
        }),
        abort(options),
      ),
    )
    const facts = factsOf(head)
    if (facts.storedChecksum !== undefined && first === 0)
      options.onStoredChecksum?.(facts.storedChecksum.algorithm)
    const cancel = new AbortController()
    const signal =
      options.signal === undefined
        ? cancel.signal
        : AbortSignal.any([cancel.signal, options.signal])
    const fetchRange = async (start: number) => {
      const range = { start, end: Math.min(start + RANGE_BYTES, options.sizeBytes) - 1 }
      const answer = await get(key, { signal }, { etag: options.etag, range })
      const pieces: Uint8Array[] = []
      for await (const piece of bodyOf(key, answer, { signal }, range)) pieces.push(piece)
      return pieces
    }
    const ahead: Promise<Awaited<ReturnType<typeof fetchRange>>>[] = []
    let next = first
    let bytesFed = 0
    const fill = () => {
      while (ahead.length < RANGES_AHEAD && next < options.sizeBytes) {
        const range = fetchRange(next)
        range.catch(() => undefined) // reported when it is this range's turn
        ahead.push(range)
        next += RANGE_BYTES
      }
    }
    try {
      for (fill(); ahead.length > 0; fill()) {
        for (const piece of (await ahead.shift()) ?? []) {
          if (options.shouldStop()) return { stopped: true, bytesFed }
          sink(piece)
          bytesFed += piece.byteLength
        }
      }
      return { stopped: false, bytesFed, ...facts }
    } finally {
      cancel.abort()
    }
  }
}
