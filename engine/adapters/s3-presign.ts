import { loadSdk, type S3Address } from './s3-client.ts'
import { s3ErrorFor } from './s3-errors.ts'
import { StoreError } from './store.ts'

/** What a sender without AWS credentials sends one request with, and until when. */
export type SignedRequest = {
  readonly method: 'PUT'
  readonly url: string
  /** Signed: the request is refused without exactly these. */
  readonly headers: Readonly<Record<string, string>>
}

export type UploadedPart = { readonly partNumber: number; readonly etag: string }

/** Uploads straight into a bucket by senders who have no credentials for it. Throws StoreError. */
export type S3Presigner = {
  /** When what is signed now ends: `wantedAt`, or when the signing credentials do if that is earlier. */
  expiry(now: Date, wantedAt: Date): Promise<Date>
  /** A PUT of exactly `sizeBytes` bytes that only succeeds where nothing is. */
  put(key: string, sizeBytes: number, now: Date, expiresAt: Date): Promise<SignedRequest>
  begin(key: string): Promise<string>
  part(
    key: string,
    uploadId: string,
    part: { readonly number: number; readonly sizeBytes: number },
    now: Date,
    expiresAt: Date,
  ): Promise<SignedRequest>
  /** Put the parts together where nothing is. */
  complete(
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
  ): Promise<'created' | 'exists'>
  abort(key: string, uploadId: string): Promise<void>
  close(): Promise<void>
}

/** Larger objects go in parts: AWS's advice. */
export const MULTIPART_ABOVE_BYTES = 100_000_000
const LEAST_PART_BYTES = 8 * 1024 * 1024 // what is lost when a part breaks off
const MOST_PARTS = 1000 // of S3's 10,000: whoever uploads is given a link for each

const IDLE_MS = 30_000
const CREDENTIALS_MARGIN_MS = 60_000 // clocks differ

export function createS3Presigner(address: S3Address): S3Presigner {
  const { bucket: Bucket, prefix } = address
  let loaded: ReturnType<typeof load> | undefined
  const load = async () => {
    const [sdk, presigner] = await Promise.all([
      // Else the address would carry the checksum of an empty body, and no other body would do.
      loadSdk({ ...address, requestChecksums: 'WHEN_REQUIRED' }, IDLE_MS),
      import('@aws-sdk/s3-request-presigner'),
    ])
    return { ...sdk, ...presigner }
  }
  const open = () => (loaded ??= load())

  async function call<T>(
    key: string,
    send: (sdk: Awaited<ReturnType<typeof load>>) => Promise<T>,
  ): Promise<T> {
    try {
      return await send(await open())
    } catch (error) {
      throw s3ErrorFor(error, key)
    }
  }

  const seconds = (now: Date, expiresAt: Date) =>
    Math.max(1, Math.floor((expiresAt.getTime() - now.getTime()) / 1000))

  return {
    expiry: (now, wantedAt) =>
      call('', async ({ client }) => {
        const { expiration } = await client.config.credentials()
        if (expiration === undefined) return wantedAt
        const last = expiration.getTime() - CREDENTIALS_MARGIN_MS
        return new Date(Math.max(now.getTime(), Math.min(wantedAt.getTime(), last)))
      }),

    put: (key, sizeBytes, now, expiresAt) =>
      call(key, async ({ client, sdk, getSignedUrl }) => {
        const url = await getSignedUrl(
          client,
          new sdk.PutObjectCommand({
            Bucket,
            Key: prefix + key,
            ContentLength: sizeBytes,
            IfNoneMatch: '*',
          }),
          {
            signingDate: now,
            expiresIn: seconds(now, expiresAt),
            signableHeaders: new Set(['host', 'content-length', 'if-none-match']),
            unhoistableHeaders: new Set(['if-none-match']),
          },
        )
        return {
          method: 'PUT',
          url,
          headers: { 'content-length': String(sizeBytes), 'if-none-match': '*' },
        }
      }),

    begin: (key) =>
      call(key, async ({ client, sdk }) => {
        const { UploadId } = await client.send(
          new sdk.CreateMultipartUploadCommand({ Bucket, Key: prefix + key }),
        )
        if (UploadId === undefined) throw new Error('bug: S3 began an upload without an id')
        return UploadId
      }),

    part: (key, uploadId, { number, sizeBytes }, now, expiresAt) =>
      call(key, async ({ client, sdk, getSignedUrl }) => ({
        method: 'PUT' as const,
        url: await getSignedUrl(
          client,
          new sdk.UploadPartCommand({
            Bucket,
            Key: prefix + key,
            UploadId: uploadId,
            PartNumber: number,
            ContentLength: sizeBytes,
          }),
          {
            signingDate: now,
            expiresIn: seconds(now, expiresAt),
            signableHeaders: new Set(['host', 'content-length']),
          },
        ),
        headers: { 'content-length': String(sizeBytes) },
      })),

    complete: async (key, uploadId, parts) => {
      try {
        await call(key, ({ client, sdk }) =>
          client.send(
            new sdk.CompleteMultipartUploadCommand({
              Bucket,
              Key: prefix + key,
              UploadId: uploadId,
              IfNoneMatch: '*',
              MultipartUpload: {
                Parts: parts.map(({ partNumber, etag }) => ({
                  PartNumber: partNumber,
                  ETag: etag,
                })),
              },
            }),
          ),
        )
        return 'created'
      } catch (error) {
        if (error instanceof StoreError && error.reason === 'changed') return 'exists' // 412
        throw error
      }
    },

    abort: (key, uploadId) =>
      call(key, async ({ client, sdk }) => {
        await client.send(
          new sdk.AbortMultipartUploadCommand({ Bucket, Key: prefix + key, UploadId: uploadId }),
        )
      }),

    async close() {
      const opened = await loaded
      opened?.client.destroy()
      opened?.uploading.destroy()
    },
  }
}

/** The parts of an object, in order and without a gap; the same for the same size. */
export function cutIntoParts(sizeBytes: number) {
  const partBytes = Math.max(LEAST_PART_BYTES, Math.ceil(sizeBytes / MOST_PARTS))
  const count = Math.max(1, Math.ceil(sizeBytes / partBytes))
  return Array.from({ length: count }, (_, i) => ({
    partNumber: i + 1,
    firstByte: i * partBytes,
    sizeBytes: Math.min(partBytes, sizeBytes - i * partBytes),
  }))
}
