import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  opendirSync,
  readSync,
  type Stats,
} from 'node:fs'
import { link, mkdir, open, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesOfKey, checkFolderKey, keyOfLatin1 } from './folder-names.ts'
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

/** Unfinished writes; never listed, so a kill leaves nothing that looks like an object. */
const TEMPORARY = '.wharfinger-tmp'
const READ_BUFFER_BYTES = 1024 * 1024
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const OBJECTS_BETWEEN_YIELDS = 2000 // lets sockets and timers live during a walk of millions

// One buffer for all reads of a thread: a read never spans a turn of the event loop.
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)

/**
 * A folder as a Store. Object keys are the paths below it; a name that is not UTF-8 keeps each
 * stray byte (folder-names.ts). Links, FIFOs and devices are listed as what they are and never
 * opened.
 */
export function createFolderStore(path: string): Store {
  const root = Buffer.from(path)
  let ready: Promise<void> | undefined
  const pathOf = (key: string) => Buffer.concat([root, slash, bytesOfKey(key)])
  const prepare = () =>
    (ready ??= mkdir(join(path, TEMPORARY), { recursive: true }).then(() => undefined))

  /** Write to a temporary file, durable, and hand it to `place`. */
  async function writeThen(
    key: string,
    body: Uint8Array | string | AsyncIterable<Uint8Array>,
    options: StoreCallOptions | undefined,
    place: (temporary: string, target: Buffer) => Promise<void>,
  ): Promise<void> {
    checkFolderKey(key)
    options?.signal?.throwIfAborted()
    await prepare()
    const temporary = join(path, TEMPORARY, randomBytes(12).toString('hex'))
    const file = await open(temporary, 'wx')
    try {
      try {
        if (typeof body === 'string' || body instanceof Uint8Array) await file.writeFile(body)
        else for await (const piece of body) await file.writeFile(piece)
        await file.sync()
      } finally {
        await file.close()
      }
      const target = pathOf(key)
      await makeParents(target)
      await place(temporary, target)
      await syncFolder(target.subarray(0, target.lastIndexOf(0x2f)))
    } finally {
      await unlink(temporary).catch(ignoreMissing)
    }
  }

  const makeParents = async (target: Buffer) => {
    await mkdir(target.subarray(0, target.lastIndexOf(0x2f)), { recursive: true })
  }

  return {
    address: path,

    async *list(options: ListOptions) {
      let sinceYield = 0
      for (const object of guarded('', () => walk(root, options))) {
        options.signal?.throwIfAborted()
        yield object
        if (++sinceYield >= OBJECTS_BETWEEN_YIELDS) {
          sinceYield = 0
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
    },

    async *listLevel(prefix: string, options?: StoreCallOptions): AsyncGenerator<LevelEntry> {
      options?.signal?.throwIfAborted()
      const folder = Buffer.concat([root, slash, bytesOfKey(prefix)])
      for (const name of guarded(prefix, () => namesIn(folder))) {
        if (prefix === '' && name === `${TEMPORARY}/`) continue
        yield name.endsWith('/')
          ? { kind: 'folder', name: keyOfLatin1(name.slice(0, -1)) }
          : { kind: 'object', name: keyOfLatin1(name) }
      }
    },

    head: (key, options) =>
      translated(key, async () => {
        options?.signal?.throwIfAborted()
        checkFolderKey(key)
        try {
          const stats = lstatSync(pathOf(key))
          return stats.isDirectory() ? undefined : describe(key, stats)
        } catch (error) {
          if (isMissing(error)) return undefined
          throw error
        }
      }),

    readWhole: (key, options) =>
      translated(key, async () => {
        options.signal?.throwIfAborted()
        checkFolderKey(key)
        const { descriptor, stats } = openRegular(pathOf(key), key, options.etag)
        try {
          if (stats.size > options.maxBytes)
            throw new StoreError('tooLarge', key, `${key} is larger than ${options.maxBytes} bytes`)
          return await readDescriptor(descriptor, stats.size)
        } finally {
          closeSync(descriptor)
        }
      }),

    async *stream(key, options) {
      checkFolderKey(key)
      let position = options?.startByte ?? 0
      const { descriptor } = await translated(key, async () =>
        openRegular(pathOf(key), key, options?.etag),
      )
      try {
        for (;;) {
          options?.signal?.throwIfAborted()
          const piece = Buffer.allocUnsafe(64 * 1024)
          const read = await translated(key, async () =>
            readSync(descriptor, piece, 0, piece.length, position),
          )
          if (read === 0) return
          position += read
          yield piece.subarray(0, read)
        }
      } finally {
        closeSync(descriptor)
      }
    },

    feed: (
      key: string,
      options: FeedOptions,
      sink: (bytes: Uint8Array) => void,
    ): Promise<FeedResult> =>
      translated(key, async () => {
        options.signal?.throwIfAborted()
        checkFolderKey(key)
        const { descriptor, stats } = openRegular(pathOf(key), key, options.etag)
        try {
          let position = options.startByte ?? 0
          let buffers = 0
          for (;;) {
            if (options.shouldStop())
              return { stopped: true, bytesFed: position - (options.startByte ?? 0) }
            const read = readSync(descriptor, readBuffer, 0, READ_BUFFER_BYTES, position)
            if (read === 0) break
            sink(readBuffer.subarray(0, read))
            position += read
            if (position >= stats.size && read < READ_BUFFER_BYTES) break
            if (++buffers % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
          }
          // Read to its end while it was being written to: those are not the sealed bytes.
          if (etagOf(fstatSync(descriptor)) !== options.etag || position !== stats.size)
            throw changed(key)
          return { stopped: false, bytesFed: position - (options.startByte ?? 0) }
        } finally {
          closeSync(descriptor)
        }
      }),

    tags: async () => undefined,

    async createIfAbsent(key, bytes, options) {
      return translated(key, async () => {
        let outcome: 'created' | 'exists' = 'created'
        await writeThen(key, bytes, options, async (temporary, target) => {
          try {
            await link(temporary, target)
          } catch (error) {
            if (codeOf(error) !== 'EEXIST') throw error
            if ((await stat(target)).isDirectory())
              throw unrepresentable(key, 'is a folder of other objects')
            outcome = 'exists'
          }
        })
        return outcome
      })
    },

    write: (key, body, options) =>
      translated(key, () =>
        writeThen(key, body, options, async (temporary, target) => rename(temporary, target)),
      ),

    hasOpenUploads: async () => false,
    close: async () => undefined,
  }
}

const slash = Buffer.from('/')

/** The objects below a folder in key order: names compared as bytes, folders with their "/". */
function* walk(root: Buffer, { prefix, startAfter }: ListOptions): Generator<StoredObject> {
  const wanted = bytesOfKey(prefix).toString('latin1')
  const after = startAfter === undefined ? undefined : bytesOfKey(startAfter).toString('latin1')
  const cut = wanted.lastIndexOf('/') + 1
  yield* walkFolder(root, wanted.slice(0, cut), wanted, after)
}

/** `folder` and all names are latin1 strings: one character a byte, so string order is byte order. */
function* walkFolder(
  root: Buffer,
  folder: string,
  wanted: string,
  after: string | undefined,
): Generator<StoredObject> {
  const here = folder === '' ? root : Buffer.concat([root, slash, Buffer.from(folder, 'latin1')])
  for (const name of namesIn(here)) {
    const path = folder + name
    if (folder === '' && name === `${TEMPORARY}/`) continue
    if (!path.startsWith(wanted) && !wanted.startsWith(path)) continue
    if (name.endsWith('/')) {
      // Everything inside sorts before `after` unless it is a prefix of it or sorts later.
      if (after !== undefined && path < after && !after.startsWith(path)) continue
      yield* walkFolder(root, path, wanted, after)
    } else if (path.startsWith(wanted) && (after === undefined || path > after)) {
      let stats: Stats
      try {
        stats = lstatSync(Buffer.concat([root, slash, Buffer.from(path, 'latin1')]))
      } catch (error) {
        if (isMissing(error)) continue // removed since the folder was read, as in any listing
        throw error
      }
      yield describe(keyOfLatin1(path), stats)
    }
  }
}

/** Names in one folder as latin1, folders ending in "/", sorted; none where there is no folder. */
function namesIn(folder: Buffer): string[] {
  const names: string[] = []
  try {
    const entries = opendirSync(folder, {
      encoding: 'latin1',
      bufferSize: 512,
    })
    try {
      for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
        names.push(entry.isDirectory() ? `${entry.name}/` : entry.name)
      }
    } finally {
      entries.closeSync()
    }
  } catch (error) {
    if (isMissing(error) || codeOf(error) === 'ENOTDIR') return []
    throw error
  }
  return names.sort((a, b) => (a < b ? -1 : 1))
}

function describe(key: string, stats: Stats): StoredObject {
  const irregular = irregularKind(stats)
  return {
    key,
    sizeBytes: irregular === undefined ? stats.size : 0,
    etag: etagOf(stats),
    ...(irregular === undefined ? {} : { irregular }),
  }
}

function irregularKind(stats: Stats): StoredObject['irregular'] {
  if (stats.isFile()) return undefined
  if (stats.isSymbolicLink()) return 'symbolic link'
  if (stats.isFIFO()) return 'FIFO'
  if (stats.isSocket()) return 'socket'
  return 'device'
}

/** Changes whenever the file is written, replaced or touched: a copied mtime alone hides nothing. */
function etagOf(stats: Stats): string {
  return [stats.ino, stats.size, stats.mtimeMs * 1000, stats.ctimeMs * 1000]
    .map((n) => Math.round(n).toString(36))
    .join('-')
}

function openRegular(
  path: Buffer,
  key: string,
  etag: string | undefined,
): { descriptor: number; stats: Stats } {
  let descriptor: number
  try {
    descriptor = openSync(path, OPEN_FLAGS)
  } catch (error) {
    if (codeOf(error) === 'ELOOP' || codeOf(error) === 'ENXIO') throw changed(key)
    throw error
  }
  const stats = fstatSync(descriptor)
  if (!stats.isFile() || (etag !== undefined && etagOf(stats) !== etag)) {
    closeSync(descriptor)
    throw stats.isDirectory() ? new StoreError('missing', key, `${key} is a folder`) : changed(key)
  }
  return { descriptor, stats }
}

async function readDescriptor(descriptor: number, sizeBytes: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(sizeBytes)
  let position = 0
  while (position < sizeBytes) {
    const read = readSync(descriptor, bytes, position, sizeBytes - position, position)
    if (read === 0) break
    position += read
  }
  return bytes.subarray(0, position)
}

async function syncFolder(folder: Buffer): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function changed(key: string): StoreError {
  return new StoreError('changed', key, `${key} is not the file that was listed`)
}

function unrepresentable(key: string, why: string, cause?: unknown): StoreError {
  return new StoreError(
    'unrepresentable',
    key,
    `a folder cannot hold ${JSON.stringify(key)}: it ${why}`,
    { cause },
  )
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT'
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error
}

async function translated<T>(key: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw storeErrorFor(error, key)
  }
}

function guarded<T>(key: string, call: () => Iterable<T>): Iterable<T> {
  return {
    *[Symbol.iterator]() {
      try {
        yield* call()
      } catch (error) {
        throw storeErrorFor(error, key)
      }
    },
  }
}

/** The one place where a file system error becomes a StoreError. Anything else is a bug and stays one. */
function storeErrorFor(error: unknown, key: string): unknown {
  if (error instanceof StoreError) return error
  if (error instanceof Error && error.name === 'AbortError')
    return new StoreError('aborted', key, 'stopped by the caller', { cause: error })
  const code = codeOf(error)
  if (code === undefined) return error
  const reason = reasons[code]
  if (code === 'ENOTDIR' || code === 'EISDIR' || code === 'EEXIST')
    return unrepresentable(key, 'needs a name to be a file and a folder at once', error)
  if (code === 'ENAMETOOLONG') return unrepresentable(key, 'has a name that is too long', error)
  if (reason === undefined)
    return new StoreError('unavailable', key, `${key}: ${code}`, { cause: error })
  return new StoreError(reason, key, `${key}: ${texts[code] ?? code}`, { cause: error })
}

const reasons: Readonly<Record<string, StoreError['reason']>> = {
  ENOENT: 'missing',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENOSPC: 'unavailable',
  EDQUOT: 'unavailable',
  EIO: 'unavailable',
  EMFILE: 'unavailable',
}

const texts: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EACCES: 'access is denied',
  EPERM: 'access is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EIO: 'the disk reports an error',
  EMFILE: 'too many files are open',
}
