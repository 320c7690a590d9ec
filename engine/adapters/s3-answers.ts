import type { GetObjectCommandOutput } from '@aws-sdk/client-s3'
import type { Algorithm } from '../model/checksum.ts'
import { compareKeys } from '../model/key-order.ts'
import { s3ErrorFor } from './s3-errors.ts'
import {
  refuseAborted,
  StoreError,
  type FeedResult,
  type LevelEntry,
  type StoreCallOptions,
} from './store.ts'

/** The part of a GET's answer that reading its body needs. */
export type GetAnswer = Pick<GetObjectCommandOutput, 'Body' | 'ContentLength' | 'ContentRange'>

/** `end` is inclusive, as in HTTP; without it, to the end of the object. */
export type ByteRange = { readonly start: number; readonly end?: number }

/** A body to its stated end. Throws 'unavailable' for one that is cut, silent for long, or not what was asked. */
export async function* bodyOf(
  key: string,
  answer: GetAnswer,
  options?: StoreCallOptions,
  range?: ByteRange,
): AsyncGenerator<Uint8Array> {
  // Some look-alikes ignore ranges: the whole object is not what belongs at this place.
  if (range !== undefined && !(answer.ContentRange ?? '').startsWith(`bytes ${range.start}-`)) {
    discard(answer)
    throw new StoreError('denied', key, `${key}: the server does not answer requests for a range`)
  }
  let bytes = 0
  const pieces = (answer.Body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  let ended = false
  try {
    for (;;) {
      const next = await pieces.next().catch((error: unknown) => {
        ended = true
        refuseAborted(key, options)
        throw bodyError(error, key)
      })
      refuseAborted(key, options)
      if (next.done === true) break
      bytes += next.value.byteLength
      yield next.value
    }
    ended = true
  } finally {
    if (!ended) discard(answer)
  }
  const expected =
    answer.ContentLength ?? (range?.end === undefined ? undefined : range.end - range.start + 1)
  // A connection that is cut can end a stream without an error.
  if (expected !== undefined && bytes !== expected) throw cut(key, bytes, expected)
}

export function cut(key: string, bytes: number, expected: number): StoreError {
  return new StoreError(
    'unavailable',
    key,
    `${key}: the connection ended after ${bytes} of ${expected} bytes`,
  )
}

/** Whatever a response stream throws comes from the network, named or not. */
function bodyError(error: unknown, key: string): StoreError {
  const known = s3ErrorFor(error, key)
  return known instanceof StoreError
    ? known
    : new StoreError('unavailable', key, `${key}: the connection failed`, { cause: error })
}

/** Give up the rest of a body, and with it the connection. */
export function discard({ Body }: Pick<GetAnswer, 'Body'>): void {
  if (Body !== undefined && 'destroy' in Body && typeof Body.destroy === 'function') Body.destroy()
}

/** EncodingType 'url' writes spaces as "+", and "+" as %2B. */
export function keyIn(page: { EncodingType?: string | undefined }, key = ''): string {
  // Some look-alikes ignore the request to encode, and say so by not saying otherwise.
  return page.EncodingType === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key
}

type ListedPage = {
  readonly EncodingType?: string | undefined
  readonly CommonPrefixes?: readonly { readonly Prefix?: string | undefined }[] | undefined
  readonly Contents?: readonly { readonly Key?: string | undefined }[] | undefined
}

/** A page lists folders and objects apart; the level is in key order, folders with their "/". */
export function levelOf(page: ListedPage, at: string): LevelEntry[] {
  const names = [
    ...(page.CommonPrefixes ?? []).map(({ Prefix }) => keyIn(page, Prefix).slice(at.length)),
    ...(page.Contents ?? []).map(({ Key }) => keyIn(page, Key).slice(at.length)),
  ]
  return names
    .filter((name) => name !== '')
    .sort(compareKeys)
    .map((name) =>
      name.endsWith('/') ? { kind: 'folder', name: name.slice(0, -1) } : { kind: 'object', name },
    )
}

export function unquoted(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '')
}

const fullObjectChecksums = {
  ChecksumCRC64NVME: 'crc64nvme',
  ChecksumSHA256: 'sha256',
  ChecksumSHA1: 'sha1',
  ChecksumCRC32C: 'crc32c',
  ChecksumCRC32: 'crc32',
} as const satisfies Record<string, Algorithm>

/** Only a full-object checksum says anything about the bytes; a composite one is of the parts. */
export function factsOf(
  answer: { VersionId?: string | undefined; ChecksumType?: string | undefined } & Readonly<
    Partial<Record<keyof typeof fullObjectChecksums, string | undefined>>
  >,
): Pick<FeedResult, 'versionId' | 'storedChecksum'> {
  const version =
    answer.VersionId === undefined || answer.VersionId === 'null'
      ? {}
      : { versionId: answer.VersionId }
  if (answer.ChecksumType === 'COMPOSITE') return version
  for (const [field, algorithm] of Object.entries(fullObjectChecksums) as [
    keyof typeof fullObjectChecksums,
    Algorithm,
  ][]) {
    const value = answer[field]
    if (value !== undefined && !value.includes('-')) {
      return {
        ...version,
        storedChecksum: { algorithm, value: Buffer.from(value, 'base64').toString('hex') },
      }
    }
  }
  return version
}
