import { createHash } from 'node:crypto'
import {
  createCRC32,
  createCRC64,
  createMD5,
  createSHA1,
  createSHA256,
  createSHA512,
  type IHasher,
} from 'hash-wasm'
import type { Store } from '../adapters/store.ts'
import { algorithms, type Algorithm, type Digests } from '../model/checksum.ts'
import { QuickXorHash } from './quick-xor.ts'

/** The states saved are bound to the release of the library that wrote them. */
const LIBRARY = 'hash-wasm 4'
const CHECKPOINT_LIMIT_BYTES = 64 * 1024

type Savable = {
  update(bytes: Uint8Array): void
  hex(): string
  save(): Uint8Array
  load(state: Uint8Array): void
}

type Checkpoint = {
  readonly library: string
  readonly etag: string
  readonly offset: number
  /** Base64 by algorithm. */
  readonly states: Readonly<Record<string, string>>
}

/**
 * Digests of a file so large that reading it again would cost hours: the state is written down
 * every so many bytes, and a later try goes on from the last one. hash-wasm, because node:crypto
 * cannot export a state; five times slower, and so for large files only.
 */
export class ResumableDigests {
  readonly #hashers: ReadonlyMap<Algorithm, Savable>
  readonly #store: Store
  readonly #prefix: string
  readonly #etag: string
  readonly #everyBytes: number
  #offset = 0
  #lastCheckpoint = 0
  #pending: Promise<void> = Promise.resolve()

  private constructor(hashers: ReadonlyMap<Algorithm, Savable>, where: Where) {
    this.#hashers = hashers
    this.#store = where.store
    this.#prefix = `${where.prefix}${createHash('sha256').update(where.key).digest('hex').slice(0, 32)}/`
    this.#etag = where.etag
    this.#everyBytes = where.everyBytes
  }

  /** Begin at the newest usable checkpoint; `offset` says where to read from. */
  static async begin(wanted: readonly Algorithm[], where: Where): Promise<ResumableDigests> {
    const hashers = new Map<Algorithm, Savable>()
    for (const algorithm of algorithms)
      if (wanted.includes(algorithm)) hashers.set(algorithm, await savable(algorithm))
    const digests = new ResumableDigests(hashers, where)
    await digests.#resume()
    return digests
  }

  get offset(): number {
    return this.#offset
  }

  async #resume(): Promise<void> {
    const keys: string[] = []
    for await (const { key } of this.#store.list({ prefix: this.#prefix })) keys.push(key)
    for (const key of keys.reverse()) {
      const checkpoint = parseCheckpoint(
        await this.#store.readWhole(key, { maxBytes: CHECKPOINT_LIMIT_BYTES }),
      )
      const usable =
        checkpoint?.library === LIBRARY &&
        checkpoint.etag === this.#etag &&
        [...this.#hashers.keys()].every((algorithm) => checkpoint.states[algorithm] !== undefined)
      if (!usable) continue
      for (const [algorithm, hasher] of this.#hashers)
        hasher.load(Buffer.from(checkpoint.states[algorithm] ?? '', 'base64'))
      this.#offset = checkpoint.offset
      this.#lastCheckpoint = checkpoint.offset
      return
    }
  }

  update(bytes: Uint8Array): void {
    for (const hasher of this.#hashers.values()) hasher.update(bytes)
    this.#offset += bytes.length
    if (this.#offset - this.#lastCheckpoint >= this.#everyBytes) this.#checkpoint()
  }

  /** Writing goes on beside reading; a checkpoint that fails costs time on a later try, nothing else. */
  #checkpoint(): void {
    this.#lastCheckpoint = this.#offset
    const checkpoint: Checkpoint = {
      library: LIBRARY,
      etag: this.#etag,
      offset: this.#offset,
      states: Object.fromEntries(
        [...this.#hashers].map(([algorithm, hasher]) => [
          algorithm,
          Buffer.from(hasher.save()).toString('base64'),
        ]),
      ),
    }
    const key = `${this.#prefix}${String(this.#offset).padStart(16, '0')}.json`
    this.#pending = this.#pending.then(
      async () => void (await this.#store.createIfAbsent(key, JSON.stringify(checkpoint))),
    )
  }

  async digests(): Promise<Digests> {
    await this.#pending
    return Object.fromEntries(
      [...this.#hashers].map(([algorithm, hasher]) => [algorithm, hasher.hex()]),
    )
  }
}

type Where = {
  readonly store: Store
  /** Below which checkpoints lie, ending in "/". */
  readonly prefix: string
  readonly key: string
  readonly etag: string
  readonly everyBytes: number
}

async function savable(algorithm: Algorithm): Promise<Savable> {
  if (algorithm === 'quickxor') return new QuickXorHash()
  const hasher = await wasmHashers[algorithm]()
  hasher.init()
  return {
    update: (bytes) => void hasher.update(bytes),
    hex: () => hasher.digest('hex'),
    save: () => hasher.save(),
    load: (state) => void hasher.load(state),
  }
}

const wasmHashers: Readonly<Record<Exclude<Algorithm, 'quickxor'>, () => Promise<IHasher>>> = {
  sha256: createSHA256,
  sha512: createSHA512,
  sha1: createSHA1,
  md5: createMD5,
  crc32: () => createCRC32(),
  crc32c: () => createCRC32(0x82f63b78),
  crc64nvme: () => createCRC64('9a6c9329ac4bc9b5'),
}

/** A torn or foreign checkpoint is no checkpoint. */
function parseCheckpoint(bytes: Uint8Array): Checkpoint | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as Checkpoint
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
