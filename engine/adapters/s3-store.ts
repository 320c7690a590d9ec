import type { S3Client } from '@aws-sdk/client-s3'
import type { Algorithm } from '../model/checksum.ts'
import type { StoreAddress } from '../pool/messages.ts'
import { s3ErrorFor } from './s3-errors.ts'
import {
  StoreError,
  type FeedOptions,
  type FeedResult,
  type LevelEntry,
  type ListOptions,
  type Store,
  type StoreCallOptions,
  type StoredObject,
} from './store.ts'

export type S3Address = Extract<StoreAddress, { kind: 's3' }>

const RANGE_BYTES = 8 * 1024 * 1024 // AWS's advice for parallel ranges: 8 or 16 MB
const RANGES_AHEAD = 4 // 32 MB a reader: enough for a few hundred MB/s at 100 ms latency
const SINGLE_GET_BYTES = 2 * RANGE_BYTES
const KEY_LIMIT_BYTES = 1024
const IDLE_SOCKET_MS = 30_000

/**
 * A bucket and prefix as a Store. The SDK is loaded at the first call. It is told not to retry:
 * the one wrapper (retrying-store.ts) does, and knows how to go on in the middle of an object.
 */
export function createS3Store(address: S3Address): Store {
  const { bucket: Bucket, prefix } = address
  let loaded: Promise<Loaded> | undefined
  const load = () => (loaded ??= loadSdk(address))

  function fullKey(key: string): string {
    const whole = prefix + key
    const why = !whole.isWellFormed()
      ? 'is not valid Unicode'
      : Buffer.byteLength(whole) > KEY_LIMIT_BYTES
        ? 'is longer than 1,024 bytes'
        : whole === ''
          ? 'is empty'
          : undefined
    if (why !== undefined)
      throw new StoreError(
        'unrepresentable',
        key,
        `S3 cannot hold ${JSON.stringify(key.slice(0, 200))}: it ${why}`,
      )
    return whole
  }

  async function call<T>(
    key: string,
    options: StoreCallOptions | undefined,
    send: (sdk: Loaded) => Promise<T>,
  ): Promise<T> {
    try {
      options?.signal?.throwIfAborted()
      return await send(await load())
    } catch (error) {
      throw s3ErrorFor(error, key)
    }
  }

  const abort = (options: StoreCallOptions | undefined) =>
    options?.signal === undefined ? {} : { abortSignal: options.signal }

  /** One GET, whole or a range, pinned where an ETag is known. */
  function get(
    key: string,
    options: StoreCallOptions | undefined,
    more: { etag?: string; range?: string; checksum?: boolean },
  ) {
    return call(key, options, ({ client, sdk }) =>
      client.send(
        new sdk.GetObjectCommand({
          Bucket,
          Key: fullKey(key),
          ...(more.etag === undefined ? {} : { IfMatch: `"${more.etag}"` }),
          ...(more.range === undefined ? {} : { Range: more.range }),
          ...(more.checksum === true ? { ChecksumMode: 'ENABLED' as const } : {}),
        }),
        abort(options),
      ),
    )
  }

  async function* body(
    key: string,
    output: { Body?: unknown; ContentLength?: number | undefined },
  ): AsyncGenerator<Uint8Array> {
    let bytes = 0
    try {
      for await (const piece of output.Body as AsyncIterable<Uint8Array>) {
        bytes += piece.byteLength
        yield piece
      }
    } catch (error) {
      throw s3ErrorFor(error, key)
    }
    // A connection that is cut can end a stream without an error.
    if (output.ContentLength !== undefined && bytes !== output.ContentLength) {
      throw new StoreError(
        'unavailable',
        key,
        `${key}: the connection ended after ${bytes} of ${output.ContentLength} bytes`,
      )
    }
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
        for (const one of page.CommonPrefixes ?? [])
          yield { kind: 'folder', name: keyIn(page, one.Prefix).slice(at.length, -1) }
        for (const object of page.Contents ?? []) {
          const name = keyIn(page, object.Key).slice(at.length)
          if (name !== '') yield { kind: 'object', name }
        }
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

    async readWhole(key, options) {
      const output = await get(
        key,
        options,
        options.etag === undefined ? {} : { etag: options.etag },
      )
      if ((output.ContentLength ?? 0) > options.maxBytes) {
        destroyBody(output.Body)
        throw new StoreError('tooLarge', key, `${key} is larger than ${options.maxBytes} bytes`)
      }
      const pieces: Uint8Array[] = []
      for await (const piece of body(key, output)) pieces.push(piece)
      return Buffer.concat(pieces)
    },

    async *stream(key, options) {
      const start = options?.startByte ?? 0
      const output = await get(key, options, {
        ...(options?.etag === undefined ? {} : { etag: options.etag }),
        ...(start === 0 ? {} : { range: `bytes=${start}-` }),
      })
      yield* body(key, output)
    },

    async feed(
      key: string,
      options: FeedOptions,
      sink: (bytes: Uint8Array) => void,
    ): Promise<FeedResult> {
      const start = options.startByte ?? 0
      if (options.shouldStop()) return { stopped: true, bytesFed: 0 }
      if (options.sizeBytes - start > SINGLE_GET_BYTES) return feedRanges(key, options, sink)
      if (start > 0 && start >= options.sizeBytes) return { stopped: false, bytesFed: 0 }
      const output = await get(key, options, {
        etag: options.etag,
        checksum: start === 0,
        ...(start === 0 ? {} : { range: `bytes=${start}-` }),
      })
      const facts = factsOf(output)
      if (facts.storedChecksum !== undefined)
        options.onStoredChecksum?.(facts.storedChecksum.algorithm)
      let bytesFed = 0
      for await (const piece of body(key, output)) {
        if (options.shouldStop()) {
          destroyBody(output.Body)
          return { stopped: true, bytesFed }
        }
        sink(piece)
        bytesFed += piece.byteLength
      }
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
      await call(key, options, async ({ client, sdk }) => {
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
          client,
          params: {
            Bucket,
            Key: fullKey(key),
            Body: Readable.from(content, { objectMode: false }),
          },
          queueSize: 2,
          partSize: RANGE_BYTES,
        })
        options?.signal?.addEventListener('abort', () => void upload.abort(), { once: true })
        await upload.done()
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

    async close() {
      const opened = await loaded
      opened?.client.destroy()
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
          Key: fullKey(key),
          IfMatch: `"${options.etag}"`,
          ChecksumMode: 'ENABLED',
        }),
        abort(options),
      ),
    )
    const facts = factsOf(head)
    if (facts.storedChecksum !== undefined)
      options.onStoredChecksum?.(facts.storedChecksum.algorithm)
    const cancel = new AbortController()
    const signal =
      options.signal === undefined
        ? cancel.signal
        : AbortSignal.any([cancel.signal, options.signal])
    const fetchRange = async (start: number) => {
      const end = Math.min(start + RANGE_BYTES, options.sizeBytes) - 1
      const output = await get(
        key,
        { signal },
        { etag: options.etag, range: `bytes=${start}-${end}` },
      )
      const pieces: Uint8Array[] = []
      for await (const piece of body(key, output)) pieces.push(piece)
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

type Loaded = { readonly client: S3Client; readonly sdk: typeof import('@aws-sdk/client-s3') }

async function loadSdk(address: S3Address): Promise<Loaded> {
  const [sdk, { NodeHttpHandler }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@smithy/node-http-handler'),
  ])
  const client = new sdk.S3Client({
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 10_000,
      requestTimeout: IDLE_SOCKET_MS,
      socketTimeout: IDLE_SOCKET_MS,
    }),
    ...(address.region === undefined ? {} : { region: address.region }),
    ...(address.endpoint === undefined ? {} : { endpoint: address.endpoint }),
    ...(address.forcePathStyle === undefined ? {} : { forcePathStyle: address.forcePathStyle }),
    ...(address.requestChecksums === undefined
      ? {}
      : {
          requestChecksumCalculation: address.requestChecksums,
          responseChecksumValidation: address.requestChecksums,
        }),
  })
  return { client, sdk }
}

/** EncodingType 'url' writes spaces as "+", and "+" as %2B. */
function keyIn(page: { EncodingType?: string | undefined }, key = ''): string {
  // Some look-alikes ignore the request to encode, and say so by not saying otherwise.
  return page.EncodingType === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key
}

function unquoted(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '')
}

function destroyBody(stream: unknown): void {
  if (
    typeof stream === 'object' &&
    stream !== null &&
    'destroy' in stream &&
    typeof stream.destroy === 'function'
  )
    stream.destroy()
}

const fullObjectChecksums = {
  ChecksumCRC64NVME: 'crc64nvme',
  ChecksumSHA256: 'sha256',
  ChecksumSHA1: 'sha1',
  ChecksumCRC32C: 'crc32c',
  ChecksumCRC32: 'crc32',
} as const satisfies Record<string, Algorithm>

/** Only a full-object checksum says anything about the bytes; a composite one is of the parts. */
function factsOf(
  output: { VersionId?: string | undefined; ChecksumType?: string | undefined } & Readonly<
    Partial<Record<keyof typeof fullObjectChecksums, string | undefined>>
  >,
): Pick<FeedResult, 'versionId' | 'storedChecksum'> {
  const version =
    output.VersionId === undefined || output.VersionId === 'null'
      ? {}
      : { versionId: output.VersionId }
  if (output.ChecksumType === 'COMPOSITE') return version
  for (const [field, algorithm] of Object.entries(fullObjectChecksums) as [
    keyof typeof fullObjectChecksums,
    Algorithm,
  ][]) {
    const value = output[field]
    if (value !== undefined && !value.includes('-')) {
      return {
        ...version,
        storedChecksum: { algorithm, value: Buffer.from(value, 'base64').toString('hex') },
      }
    }
  }
  return version
}
