import { lstatSync, opendirSync, type Stats } from 'node:fs'
import { isMissing } from './folder-errors.ts'
import { bytesOfKey, isAscii, keyOfLatin1, TEMPORARY } from './folder-names.ts'
import type { StoredObject } from './store.ts'

/**
 * The objects below a folder in key order: names compared as bytes, folders with their "/". Lazy,
 * one folder's names in memory at a time; folders that lie before `startAfter` are never opened.
 */
export function* walk(
  root: string,
  options: { readonly prefix: string; readonly startAfter?: string },
): Generator<StoredObject> {
  const { prefix, startAfter } = options
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (!isReachable(root, folder)) return
  yield* walkFolder(
    root,
    latin1(folder),
    latin1(prefix),
    startAfter === undefined ? undefined : latin1(startAfter),
  )
}

/** `folder` and all names are latin1 strings: one character a byte, so string order is byte order. */
function* walkFolder(
  root: string,
  folder: string,
  wanted: string,
  after: string | undefined,
): Generator<StoredObject> {
  for (const name of namesIn(pathBelow(root, folder))) {
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
        stats = lstatSync(pathBelow(root, path))
      } catch (error) {
        if (isMissing(error)) continue // removed since the folder was read, as in any listing
        throw error
      }
      // A file that has become a folder since: its objects are the next listing's.
      if (!stats.isDirectory()) yield describe(keyOfLatin1(path), stats)
    }
  }
}

/** Names in one folder as latin1, folders ending in "/", sorted; none where there is no folder. */
export function namesIn(folder: string | Buffer): string[] {
  const names: string[] = []
  try {
    const entries = opendirSync(folder, { encoding: 'latin1', bufferSize: 512 })
    try {
      for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
        names.push(entry.isDirectory() ? `${entry.name}/` : entry.name)
      }
    } finally {
      entries.closeSync()
    }
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
  return names.sort()
}

/** Whether a folder (a key, '' or ending in "/") is there and reached through folders alone. */
export function isReachable(root: string, folder: string): boolean {
  return wayTo(root, folder) === 'open'
}

/**
 * What stands on the way to a folder. 'blocked' is a file, or a symbolic link: that is an object of
 * its own, never followed, so nothing lies below it.
 */
export function wayTo(root: string, folder: string): 'open' | 'missing' | 'blocked' {
  for (let end = folder.indexOf('/'); end >= 0; end = folder.indexOf('/', end + 1)) {
    try {
      if (!lstatSync(pathBelow(root, latin1(folder.slice(0, end)))).isDirectory()) return 'blocked'
    } catch (error) {
      if (isMissing(error)) return 'missing'
      throw error
    }
  }
  return 'open'
}

export function describe(key: string, stats: Stats): StoredObject {
  const irregular = irregularKind(stats)
  return irregular === undefined
    ? { key, sizeBytes: stats.size, etag: etagOf(stats) }
    : { key, sizeBytes: 0, etag: etagOf(stats), irregular }
}

function irregularKind(stats: Stats): StoredObject['irregular'] {
  if (stats.isFile()) return undefined
  if (stats.isSymbolicLink()) return 'symbolic link'
  if (stats.isFIFO()) return 'FIFO'
  if (stats.isSocket()) return 'socket'
  return 'device'
}

/** Changes whenever the file is written, replaced or touched: a copied mtime alone hides nothing. */
export function etagOf(stats: Stats): string {
  return `${stats.ino.toString(36)}-${stats.size.toString(36)}-${microseconds(stats.mtimeMs)}-${microseconds(stats.ctimeMs)}`
}

const LOW_DIGITS = 5
const LOW = 36 ** LOW_DIGITS

/** In two halves, because V8 writes a small integer in base 36 several times faster than a large one. */
function microseconds(milliseconds: number): string {
  const whole = Math.round(milliseconds * 1000)
  if (whole < LOW) return whole.toString(36)
  const high = Math.floor(whole / LOW)
  return high.toString(36) + (whole - high * LOW).toString(36).padStart(LOW_DIGITS, '0')
}

function latin1(key: string): string {
  return bytesOfKey(key).toString('latin1')
}

/** Text where it can be: Node converts that several times faster than it takes a Buffer. */
function pathBelow(root: string, path: string): string | Buffer {
  return isAscii(path)
    ? `${root}/${path}`
    : Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')])
}
