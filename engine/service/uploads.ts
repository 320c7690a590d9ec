import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createFolderLanding } from '../adapters/folder-landing.ts'
import {
  createS3Presigner,
  cutIntoParts,
  MULTIPART_ABOVE_BYTES,
  type SignedRequest,
  type UploadedPart,
} from '../adapters/s3-presign.ts'
import { transferPrefix, type TransferAddress } from '../model/transfer.ts'
import type { ServiceContext } from './context.ts'
import { refuseCompleted } from './complete.ts'
import { Problem } from './problem.ts'

/** How to send one object, in one request or in parts. */
export type UploadOffer =
  | ({ readonly kind: 'single'; readonly key: string; readonly expiresAt: string } & SignedRequest)
  | {
      readonly kind: 'multipart'
      readonly key: string
      readonly expiresAt: string
      readonly uploadId: string
      readonly parts: readonly (SignedRequest & {
        readonly partNumber: number
        readonly firstByte: number
        readonly sizeBytes: number
      })[]
    }

export type UploadRequest = {
  /** Below the transfer: `records/...` or `metadata/...`. */
  readonly key: string
  readonly sizeBytes: number
  /** Go on with an upload in parts, whose links have run out. */
  readonly uploadId?: string
}

/** Uploads for senders who have no credentials of the store. */
export type Uploads = {
  offer(transfer: TransferAddress, request: UploadRequest): Promise<UploadOffer>
  /** Put the parts together. Throws Problem 409 where the object is there already. */
  complete(
    transfer: TransferAddress,
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
  ): Promise<void>
  abort(transfer: TransferAddress, key: string, uploadId: string): Promise<void>
  /** Take the body of a single upload into a folder; `token` is from the offer's link. */
  receive(
    token: string,
    body: AsyncIterable<Uint8Array>,
    contentLength: number | undefined,
  ): Promise<void>
  close(): Promise<void>
}

/** `url`: what callers reach the service by, without "/" at the end. */
export function createUploads(context: ServiceContext, url: () => string): Uploads {
  const { store } = context.zone
  return store.kind === 's3' ? toBucket(context, store) : toFolder(context, store.path, url)
}

function toBucket(
  context: ServiceContext,
  store: Extract<ServiceContext['zone']['store'], { kind: 's3' }>,
): Uploads {
  const presigner = createS3Presigner(store)
  return {
    async offer(transfer, request) {
      const key = await refuseUnfit(context, transfer, request)
      const now = context.now()
      const expires = await presigner.expiry(now, wantedExpiry(context, now))
      const about = { key: request.key, expiresAt: expires.toISOString() }
      const { sizeBytes } = request
      if (sizeBytes <= MULTIPART_ABOVE_BYTES && request.uploadId === undefined)
        return {
          kind: 'single',
          ...about,
          ...(await presigner.put(key, sizeBytes, now, expires)),
        }
      const uploadId = request.uploadId ?? (await presigner.begin(key))
      const parts = await Promise.all(
        cutIntoParts(sizeBytes).map(async (part) => ({
          ...part,
          ...(await presigner.part(
            key,
            uploadId,
            { number: part.partNumber, sizeBytes: part.sizeBytes },
            now,
            expires,
          )),
        })),
      )
      return { kind: 'multipart', ...about, uploadId, parts }
    },
    async complete(transfer, key, uploadId, parts) {
      await refuseCompleted(context, transfer)
      const whole = wholeKey(transfer, key)
      if ((await presigner.complete(whole, uploadId, parts)) === 'exists') throw isThere(key)
    },
    abort: (transfer, key, uploadId) => presigner.abort(wholeKey(transfer, key), uploadId),
    receive: () => Promise.reject(noSuchLink()),
    close: () => presigner.close(),
  }
}

type Ticket = {
  readonly transfer: TransferAddress
  readonly key: string
  readonly sizeBytes: number
  /** Epoch milliseconds. */
  readonly expires: number
}

/** Links are signed with a secret of this process: they end with it at the latest. */
function toFolder(context: ServiceContext, path: string, url: () => string): Uploads {
  const landing = createFolderLanding(path)
  const secret = randomBytes(32)
  const sign = (text: string) => createHmac('sha256', secret).update(text).digest()
  const inParts = () =>
    new Problem(400, 'No upload in parts', 'This drop zone takes every object in one request.')

  function readTicket(token: string): Ticket {
    const [text = '', signature = ''] = token.split('.')
    const given = Buffer.from(signature, 'base64url')
    const right = sign(text)
    if (given.length !== right.length || !timingSafeEqual(given, right)) throw noSuchLink()
    const ticket = JSON.parse(Buffer.from(text, 'base64url').toString()) as Ticket
    if (context.now().getTime() >= ticket.expires)
      throw new Problem(403, 'The link has expired', 'Ask for a new one.')
    return ticket
  }

  return {
    async offer(transfer, request) {
      await refuseUnfit(context, transfer, request)
      if (request.uploadId !== undefined) throw inParts()
      const { key, sizeBytes } = request
      const expires = wantedExpiry(context, context.now())
      const ticket: Ticket = { transfer, key, sizeBytes, expires: expires.getTime() }
      const text = Buffer.from(JSON.stringify(ticket)).toString('base64url')
      return {
        kind: 'single',
        key,
        expiresAt: expires.toISOString(),
        method: 'PUT',
        url: `${url()}/uploads/${text}.${sign(text).toString('base64url')}`,
        headers: { 'content-length': String(sizeBytes), 'if-none-match': '*' },
      }
    },
    complete: () => Promise.reject(inParts()),
    abort: () => Promise.reject(inParts()),
    async receive(token, body, contentLength) {
      const ticket = readTicket(token)
      const { transfer, key, sizeBytes } = ticket
      const wrongLength = () =>
        new Problem(
          400,
          'Not the length that was announced',
          `The link is for exactly ${sizeBytes} bytes.`,
        )
      if (contentLength !== undefined && contentLength !== sizeBytes) throw wrongLength()
      await refuseCompleted(context, transfer)
      const last = ticket.expires + context.config.service.uploadMinutes * 60_000
      const counted = async function* () {
        let bytes = 0
        for await (const piece of body) {
          bytes += piece.byteLength
          if (bytes > sizeBytes) throw wrongLength()
          if (context.now().getTime() > last)
            throw new Problem(408, 'Too slow', 'The upload took longer than links last.')
          yield piece
        }
        if (bytes !== sizeBytes) throw wrongLength()
      }
      if ((await landing.receive(wholeKey(transfer, key), counted())) === 'exists')
        throw isThere(key)
    },
    close: async () => {},
  }
}

/** Returns the whole key in the drop zone. */
async function refuseUnfit(
  context: ServiceContext,
  transfer: TransferAddress,
  { key, sizeBytes }: UploadRequest,
): Promise<string> {
  const whole = wholeKey(transfer, key)
  const limit = context.config.service.limits.fileBytes
  if (sizeBytes > limit)
    throw new Problem(
      413,
      'The file is too large',
      `It has ${sizeBytes} bytes; at most ${limit} are taken.`,
    )
  await refuseCompleted(context, transfer)
  if ((await context.zoneStore.head(whole)) !== undefined) throw isThere(key)
  return whole
}

const KEY_LIMIT_BYTES = 900 // S3's 1,024 less what stands before it

/** Throws Problem 400 for a key that lies elsewhere, or that not every store can hold. */
export function wholeKey(transfer: TransferAddress, key: string): string {
  const segments = key.split('/')
  const fits =
    (segments[0] === 'records' || segments[0] === 'metadata') &&
    segments.length >= 2 &&
    segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..') &&
    segments.every((segment) => Buffer.byteLength(segment) <= 255) &&
    key.isWellFormed() &&
    // eslint-disable-next-line no-control-regex
    !/[\u0000-\u001f\u007f]/.test(key) &&
    Buffer.byteLength(key) <= KEY_LIMIT_BYTES
  if (!fits)
    throw new Problem(
      400,
      'Not a key of a transfer',
      'A key begins with `records/` or `metadata/` and has no empty, `.` or `..` part, no control character and no more than 900 bytes.',
    )
  return transferPrefix(transfer) + key
}

function wantedExpiry({ config }: ServiceContext, now: Date): Date {
  return new Date(now.getTime() + config.service.uploadMinutes * 60_000)
}

function isThere(key: string): Problem {
  return new Problem(
    409,
    'The object is there already',
    `${JSON.stringify(key)} has arrived and is never replaced. Send what is new under another key, or in a correction.`,
  )
}

function noSuchLink(): Problem {
  return new Problem(404, 'Not found', 'This is no upload link of this service, or no longer one.')
}

export type ArrivedPage = {
  readonly objects: readonly { readonly key: string; readonly sizeBytes: number }[]
  readonly cursor?: string
}

/** What has arrived of a transfer, in key order; a cursor is the last key seen. */
export async function listArrived(
  { zoneStore }: ServiceContext,
  transfer: TransferAddress,
  options: { readonly limit: number; readonly cursor?: string },
): Promise<ArrivedPage> {
  const prefix = transferPrefix(transfer)
  const objects: { key: string; sizeBytes: number }[] = []
  const after =
    options.cursor === undefined ? {} : { startAfter: prefix + readKeyCursor(options.cursor) }
  for await (const { key, sizeBytes } of zoneStore.list({ prefix, ...after })) {
    if (objects.length === options.limit) {
      const last = objects.at(-1)?.key ?? ''
      return { objects, cursor: Buffer.from(last).toString('base64url') }
    }
    objects.push({ key: key.slice(prefix.length), sizeBytes })
  }
  return { objects }
}

function readKeyCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString()
}
