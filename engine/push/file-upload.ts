import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { UploadedPart } from '../adapters/s3-presign.ts'
import { notePart, type Journal, type PushedPart } from './journal.ts'
import { LandingError, type Landing, type Offer } from './landing.ts'
import { sendSigned } from './sending.ts'

/** One file of the folder that is pushed. */
export type LocalFile = {
  /** Below the transfer. */
  readonly key: string
  readonly file: string
  readonly sizeBytes: number
  readonly etag: string
}

/** What sending any file needs. */
export type Sending = {
  readonly landing: Landing
  /** File that parts are written down in. */
  readonly journal: string
  readonly slots: Slots
  readonly signal: AbortSignal
}

/** So many parts are held in memory at once, whichever files they are of. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Waits its turn; what it resolves with gives the slot back. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return () => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

/** Larger parts, of files beyond 300 GB, are streamed one after another. */
const HELD_PART_BYTES = 32 * 1024 * 1024
const TRIES = 8
const LONGEST_PAUSE_MS = 30_000

/** Send one file and return its SHA-256; what has arrived in full is only read. */
export async function sendFile(
  sending: Sending,
  { transferId, parts }: Journal,
  one: LocalFile,
  arrivedBytes: number | undefined,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const { landing, signal } = sending
  const digest = new ReadDigest(one, onBytes)
  if (arrivedBytes === one.sizeBytes) return digest.finish()
  const partsBefore = (parts.get(one.key) ?? []).filter(({ etag }) => etag === one.etag)
  let uploadId = partsBefore.at(-1)?.uploadId
  await tried(signal, async () => {
    const offer = await landing.offer(transferId, {
      key: one.key,
      sizeBytes: one.sizeBytes,
      ...(uploadId === undefined ? {} : { uploadId }),
    })
    if (offer.kind === 'arrived') return
    if (offer.kind === 'write') return offer.write(digest.bytes(0, one.sizeBytes))
    if (offer.kind === 'single') {
      await sendSigned(offer.request, digest.bytes(0, one.sizeBytes), signal)
      return
    }
    uploadId = offer.uploadId
    const done = await sendParts(sending, offer, one, digest, partsBefore)
    await landing.completeParts(transferId, one.key, offer.uploadId, done)
  })
  return digest.finish()
}

/** Send the parts that are not there yet, several at once; `partsBefore` hears of each that arrived. */
async function sendParts(
  { journal, slots, signal }: Sending,
  { uploadId, parts }: Extract<Offer, { kind: 'multipart' }>,
  one: LocalFile,
  digest: ReadDigest,
  partsBefore: PushedPart[],
): Promise<readonly UploadedPart[]> {
  const done = new Map(
    partsBefore
      .filter((part) => part.uploadId === uploadId)
      .map(({ partNumber, partEtag }) => [partNumber, partEtag]),
  )
  const arrived = (partNumber: number, partEtag: string) => {
    done.set(partNumber, partEtag)
    const part = { key: one.key, etag: one.etag, uploadId, partNumber, partEtag }
    notePart(journal, part)
    partsBefore.push(part)
  }
  let failure: unknown
  const onTheirWay: Promise<void>[] = []
  for (const { partNumber, firstByte, sizeBytes, request } of parts) {
    if (done.has(partNumber)) continue
    const release = await slots.take()
    if (failure !== undefined) {
      release()
      break
    }
    const isHeld = sizeBytes <= HELD_PART_BYTES
    let body: AsyncIterable<Uint8Array>
    try {
      // Read in order, so that each byte is digested once while parts before it are on their way.
      body = isHeld
        ? inOnePiece(await digest.part(firstByte, sizeBytes))
        : digest.bytes(firstByte, sizeBytes)
    } catch (error) {
      release()
      failure ??= error
      break
    }
    const upload = sendSigned(request, body, signal)
      .then(({ etag }) => arrived(partNumber, etag))
      .catch((error: unknown) => void (failure ??= error))
      .finally(release)
    onTheirWay.push(upload)
    if (!isHeld) await upload
  }
  await Promise.all(onTheirWay)
  if (failure !== undefined) throw failure
  return [...done]
    .map(([partNumber, etag]) => ({ partNumber, etag }))
    .sort((a, b) => a.partNumber - b.partNumber)
}

/** A body that is in memory already. */
export async function* inOnePiece(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
  await Promise.resolve()
}

/**
 * Reads a file, as often as sending takes, and digests each byte once and in order: of what was
 * read before a cut nothing is digested again, and what is skipped is read for the digest alone.
 */
class ReadDigest {
  readonly #file: LocalFile
  readonly #hash = createHash('sha256')
  readonly #onBytes: (bytes: number) => void
  #digested = 0

  constructor(file: LocalFile, onBytes: (bytes: number) => void) {
    this.#file = file
    this.#onBytes = onBytes
  }

  async *bytes(firstByte: number, sizeBytes: number): AsyncGenerator<Buffer> {
    if (sizeBytes === 0) return
    if (firstByte > this.#digested) await this.#digestTo(firstByte)
    let at = firstByte
    const stream = createReadStream(this.#file.file, {
      start: firstByte,
      end: firstByte + sizeBytes - 1,
      highWaterMark: 256 * 1024,
    })
    for await (const piece of stream as AsyncIterable<Buffer>) {
      this.#digest(at, piece)
      at += piece.byteLength
      yield piece
    }
    if (at !== firstByte + sizeBytes) throw this.#changed()
  }

  /** A part of the file, held in memory. */
  async part(firstByte: number, sizeBytes: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    for await (const piece of this.bytes(firstByte, sizeBytes)) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  async finish(): Promise<string> {
    await this.#digestTo(this.#file.sizeBytes)
    return this.#hash.digest('hex')
  }

  async #digestTo(end: number): Promise<void> {
    if (end <= this.#digested) return
    const stream = createReadStream(this.#file.file, { start: this.#digested, end: end - 1 })
    for await (const piece of stream as AsyncIterable<Buffer>) this.#digest(this.#digested, piece)
    if (this.#digested < end) throw this.#changed()
  }

  #digest(at: number, piece: Buffer): void {
    const skip = this.#digested - at
    if (skip >= piece.byteLength) return
    const fresh = piece.subarray(skip)
    this.#hash.update(fresh)
    this.#digested += fresh.byteLength
    this.#onBytes(fresh.byteLength)
  }

  #changed(): LandingError {
    return new LandingError(
      `${this.#file.key} became shorter while it was sent: send it when nobody writes to it`,
    )
  }
}

/** Try again what may succeed in a moment, with full jitter, until it has failed eight times. */
export async function tried<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof LandingError) || !error.retryable || tries === TRIES) throw error
      const pauseMs = Math.min(LONGEST_PAUSE_MS, 250 * 2 ** tries) * Math.random()
      await delay(Math.max(pauseMs, error.retryAfterMs ?? 0), undefined, { signal })
    }
  }
}
