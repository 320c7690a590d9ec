import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs'
import {
  changed,
  isMissing,
  missing,
  storeErrorFor,
  systemCode,
  translated,
} from './folder-errors.ts'
import {
  bytesOfKey,
  checkFolderKey,
  checkFolderPrefix,
  isAscii,
  keyOfLatin1,
  TEMPORARY,
} from './folder-names.ts'
import { describe, etagOf, isReachable, namesIn, walk } from './folder-walk.ts'
import { FolderWriter } from './folder-writer.ts'
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

const READ_BUFFER_BYTES = 1024 * 1024
const STREAM_PIECE_BYTES = 64 * 1024
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const OBJECTS_BETWEEN_YIELDS = 2000 // lets sockets and timers live during a walk of millions
const BUFFERS_BETWEEN_YIELDS = 64

// One buffer for all reads of a thread: a read never spans a turn of the event loop.
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)

/**
 * A folder as a Store. Object keys are the paths below it; a name that is not UTF-8 keeps each
 * stray byte (folder-names.ts). Links, FIFOs and devices are listed as what they are and never
 * opened, and nothing is reached through a link.
 */
export function createFolderStore(path: string): Store {
  const writer = new FolderWriter(path)

  /** The inode number and times in an ETag pin the file itself; without one the way there is checked. */
  function openRegular(key: string, etag: string | undefined): Opened {
    checkFolderKey(key)
    if (etag === undefined && !isReachable(path, key.slice(0, key.lastIndexOf('/') + 1)))
      throw missing(key)
    const descriptor = openPinned(key)
    const stats = fstatSync(descriptor)
    if (!stats.isFile() || (etag !== undefined && etagOf(stats) !== etag)) {
      closeSync(descriptor)
      throw stats.isDirectory() ? missing(key, 'is a folder') : changed(key)
    }
    return { descriptor, stats }
  }

  function openPinned(key: string): number {
    try {
      return openSync(pathOf(key), OPEN_FLAGS)
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ELOOP' || code === 'ENXIO') throw changed(key) // a link, or a socket or device
      if (code === 'ENOTDIR') throw missing(key, undefined, error)
      throw error
    }
  }

  /** Text where it can be: Node converts that several times faster than it takes a Buffer. */
  const pathOf = (key: string) =>
    isAscii(key) ? `${path}/${key}` : Buffer.concat([Buffer.from(`${path}/`), bytesOfKey(key)])

  return {
    address: path,

    async *list(options: ListOptions) {
      checkFolderPrefix(options.prefix)
      const objects = walk(path, options)
      for (let seen = 1; ; seen++) {
        refuseAborted(options.prefix, options)
        const object = nextOf(objects, options.prefix)
        if (object === undefined) return
        yield object
        if (seen % OBJECTS_BETWEEN_YIELDS === 0) await turn()
      }
    },

    async *listLevel(prefix: string, options?: StoreCallOptions): AsyncGenerator<LevelEntry> {
      refuseAborted(prefix, options)
      checkFolderPrefix(prefix)
      const names = await translated(prefix, () =>
        isReachable(path, prefix) ? namesIn(pathOf(prefix)) : [],
      )
      for (const name of names) {
        if (prefix === '' && name === `${TEMPORARY}/`) continue
        yield name.endsWith('/')
          ? { kind: 'folder', name: keyOfLatin1(name.slice(0, -1)) }
          : { kind: 'object', name: keyOfLatin1(name) }
      }
    },

    head: (key, options) =>
      translated(key, () => {
        refuseAborted(key, options)
        checkFolderKey(key)
        if (!isReachable(path, key.slice(0, key.lastIndexOf('/') + 1))) return undefined
        try {
          const stats = lstatSync(pathOf(key))
          return stats.isDirectory() ? undefined : describe(key, stats)
        } catch (error) {
          if (isMissing(error)) return undefined
          throw error
        }
      }),

    ageMs: (key, options) =>
      translated(key, async () => {
        refuseAborted(key, options)
        checkFolderKey(key)
        try {
          const { mtimeMs } = lstatSync(pathOf(key))
          // A file written now, not this process's clock: the folder may be another machine's.
          return Math.max(0, (await writer.clockMs()) - mtimeMs)
        } catch (error) {
          if (isMissing(error)) return undefined
          throw error
        }
      }),

    readWhole: (key, options) =>
      translated(key, () => {
        refuseAborted(key, options)
        const { descriptor, stats } = openRegular(key, options.etag)
        try {
          if (stats.size > options.maxBytes)
            throw new StoreError('tooLarge', key, `${key} is larger than ${options.maxBytes} bytes`)
          const bytes = readDescriptor(descriptor, Buffer.allocUnsafe(stats.size), stats.size)
          if (bytes.length !== stats.size) throw changed(key)
          refuseChanged(key, descriptor, options.etag)
          return bytes
        } finally {
          closeSync(descriptor)
        }
      }),

    async *stream(key, options) {
      refuseAborted(key, options)
      let position = options?.startByte ?? 0
      const { descriptor } = await translated(key, () => openRegular(key, options?.etag))
      try {
        for (;;) {
          refuseAborted(key, options)
          const piece = Buffer.allocUnsafe(STREAM_PIECE_BYTES)
          const read = await translated(key, () =>
            readSync(descriptor, piece, 0, piece.length, position),
          )
          if (read === 0) break
          position += read
          yield piece.subarray(0, read)
        }
        await translated(key, () => refuseChanged(key, descriptor, options?.etag))
      } finally {
        closeSync(descriptor)
      }
    },

    async feed(
      key: string,
      options: FeedOptions,
      sink: (bytes: Uint8Array) => void,
    ): Promise<FeedResult> {
      try {
        refuseAborted(key, options)
        const { descriptor, stats } = openRegular(key, options.etag)
        try {
          const start = options.startByte ?? 0
          let position = start
          for (let buffers = 1; ; buffers++) {
            if (options.shouldStop()) return { stopped: true, bytesFed: position - start }
            const read = readSync(descriptor, readBuffer, 0, READ_BUFFER_BYTES, position)
            if (read === 0) break
            sink(readBuffer.subarray(0, read))
            position += read
            if (position >= stats.size && read < READ_BUFFER_BYTES) break
            if (buffers % BUFFERS_BETWEEN_YIELDS === 0) {
              await turn()
              refuseAborted(key, options)
            }
          }
          // Read to its end while it was being written to: those are not the sealed bytes.
          refuseChanged(key, descriptor, options.etag)
          if (position !== stats.size) throw changed(key)
          return { stopped: false, bytesFed: position - start }
        } finally {
          closeSync(descriptor)
        }
      } catch (error) {
        throw storeErrorFor(error, key)
      }
    },

    readAtOnce(key, { etag, sizeBytes }) {
      if (sizeBytes > READ_BUFFER_BYTES) return undefined
      try {
        checkFolderKey(key)
        const descriptor = openPinned(key)
        try {
          const bytes = readDescriptor(descriptor, readBuffer, sizeBytes)
          // Asked only afterwards: had it been another file before, its ETag could not be this one.
          const stats = fstatSync(descriptor)
          if (!stats.isFile() || etagOf(stats) !== etag || bytes.length !== sizeBytes)
            throw changed(key)
          return bytes
        } finally {
          closeSync(descriptor)
        }
      } catch (error) {
        throw storeErrorFor(error, key)
      }
    },

    tags: async () => undefined,

    addTag: (key) =>
      Promise.reject(new StoreError('unrepresentable', key, 'a folder keeps no tags')),

    createIfAbsent: (key, bytes, options) =>
      translated(key, () => {
        checkFolderKey(key)
        return writer.createIfAbsent(key, bytes, options)
      }),

    write: (key, body, options) =>
      translated(key, () => {
        checkFolderKey(key)
        return writer.write(key, body, options)
      }),

    hasOpenUploads: async () => false,
    inspect: async () => ({ keepsVersions: false }),
    close: async () => undefined,
  }
}

/** Only what the walk itself throws is translated, not what the one who iterates throws. */
function nextOf(objects: Iterator<StoredObject>, prefix: string): StoredObject | undefined {
  try {
    const next = objects.next()
    return next.done === true ? undefined : next.value
  } catch (error) {
    throw storeErrorFor(error, prefix)
  }
}

type Opened = { readonly descriptor: number; readonly stats: Stats }

function refuseChanged(key: string, descriptor: number, etag: string | undefined): void {
  if (etag !== undefined && etagOf(fstatSync(descriptor)) !== etag) throw changed(key)
}

function readDescriptor(descriptor: number, bytes: Buffer, sizeBytes: number): Buffer {
  let position = 0
  while (position < sizeBytes) {
    const read = readSync(descriptor, bytes, position, sizeBytes - position, position)
    if (read === 0) break
    position += read
  }
  return bytes.subarray(0, position)
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
