import { unrepresentable } from './folder-errors.ts'

/**
 * Names in a folder are bytes; keys are strings. A name that is not UTF-8 carries each stray byte
 * b as the lone surrogate U+DC00+b, which no valid UTF-8 decodes to, so the way back is exact.
 * (Python calls the same scheme surrogateescape.)
 */
const utf8 = new TextDecoder('utf-8', { fatal: true })
const NAME_LIMIT_BYTES = 255

/** Unfinished writes, at the root; never listed, so a kill leaves nothing that looks like an object. */
export const TEMPORARY = '.wharfinger-tmp'

// eslint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/

export function isAscii(text: string): boolean {
  return ASCII.test(text)
}

/** The key for bytes given as latin1 text, one character a byte. */
export function keyOfLatin1(latin1: string): string {
  // Nearly all names are ASCII, and are their own keys.
  if (isAscii(latin1)) return latin1
  const bytes = Buffer.from(latin1, 'latin1')
  try {
    return utf8.decode(bytes)
  } catch {
    return decodeEscaping(bytes)
  }
}

/** The bytes of a key, exactly as they are on disk. */
export function bytesOfKey(key: string): Buffer {
  if (key.isWellFormed()) return Buffer.from(key, 'utf8')
  const pieces: Buffer[] = []
  let start = 0
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i)
    const next = key.charCodeAt(i + 1)
    if (unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) {
      i++
    } else if (unit >= 0xdc80 && unit <= 0xdcff) {
      pieces.push(Buffer.from(key.slice(start, i), 'utf8'), Buffer.from([unit - 0xdc00]))
      start = i + 1
    }
  }
  pieces.push(Buffer.from(key.slice(start), 'utf8'))
  return Buffer.concat(pieces)
}

/** Valid sequences decode as themselves; every other byte is escaped on its own. */
function decodeEscaping(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length;) {
    const length = sequenceLength(bytes[i] ?? 0)
    const decoded = length === 0 ? undefined : tryDecode(bytes.subarray(i, i + length))
    if (decoded === undefined) {
      text += String.fromCharCode(0xdc00 + (bytes[i] ?? 0))
      i++
    } else {
      text += decoded
      i += length
    }
  }
  return text
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1
  if (lead >= 0xc2 && lead <= 0xdf) return 2
  if (lead >= 0xe0 && lead <= 0xef) return 3
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0
}

function tryDecode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined // not UTF-8: the caller escapes the byte instead
  }
}

/** Throws 'unrepresentable' for a key that a folder cannot hold, or that would leave it. */
export function checkFolderKey(key: string): void {
  for (const segment of key.split('/')) checkSegment(segment, key)
  if (key === TEMPORARY || key.startsWith(`${TEMPORARY}/`))
    throw unrepresentable(key, 'is where unfinished writes are kept')
}

/** The same for a prefix, whose last name may be empty or the beginning of one. */
export function checkFolderPrefix(prefix: string): void {
  for (const segment of prefix.split('/').slice(0, -1)) checkSegment(segment, prefix)
  if (prefix.includes('\0')) throw unrepresentable(prefix, 'has a NUL character in it')
}

function checkSegment(segment: string, key: string): void {
  if (segment === '') throw unrepresentable(key, 'has an empty name in it')
  if (segment === '.' || segment === '..')
    throw unrepresentable(key, 'has a name that means another folder')
  if (segment.includes('\0')) throw unrepresentable(key, 'has a NUL character in it')
  // Two spellings of the same bytes would be two keys for one file.
  if (!segment.isWellFormed() && keyOfLatin1(bytesOfKey(segment).toString('latin1')) !== segment)
    throw unrepresentable(key, 'has half a character in it')
  if (segment.length > NAME_LIMIT_BYTES / 4 && bytesOfKey(segment).length > NAME_LIMIT_BYTES)
    throw unrepresentable(key, 'has a name of more than 255 bytes')
}
