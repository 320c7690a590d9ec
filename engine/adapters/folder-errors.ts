import { StoreError, type StoreErrorReason } from './store.ts'

/**
 * The one place where a file system error becomes a StoreError. Anything else, above all an error
 * of a caller's sink or stream, is not ours and stays what it is.
 */
export function storeErrorFor(error: unknown, key: string): unknown {
  const code = systemCode(error)
  if (code === undefined) return error
  if (code === 'ENOTDIR' || code === 'EISDIR' || code === 'EEXIST' || code === 'ENOTEMPTY')
    return unrepresentable(key, 'needs a name to be a file and a folder at once', error)
  if (code === 'ENAMETOOLONG') return unrepresentable(key, 'has a name that is too long', error)
  const [reason, text] = known[code] ?? ['unavailable', code]
  return new StoreError(reason, key, `${key}: ${text}`, { cause: error })
}

const known: Readonly<Record<string, readonly [StoreErrorReason, string]>> = {
  ENOENT: ['missing', 'is not there'],
  EACCES: ['denied', 'access is denied'],
  EPERM: ['denied', 'access is denied'],
  EROFS: ['denied', 'the file system is read-only'],
  ENOSPC: ['unavailable', 'the disk is full'],
  EDQUOT: ['unavailable', 'the disk quota is used up'],
  EIO: ['unavailable', 'the disk reports an error'],
  EMFILE: ['unavailable', 'too many files are open'],
}

/** ENOENT and its kind; undefined for Node's own ERR_ codes, which are bugs of a caller. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error &&
    'syscall' in error &&
    'code' in error &&
    typeof error.code === 'string'
    ? error.code
    : undefined
}

/** Nothing there: also where a file stands in the place of a folder on the way. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

export async function translated<T>(key: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw storeErrorFor(error, key)
  }
}

export function changed(key: string): StoreError {
  return new StoreError('changed', key, `${key} is not the file that was listed`)
}

export function missing(key: string, why = 'is not there', cause?: unknown): StoreError {
  return new StoreError('missing', key, `${key}: ${why}`, { cause })
}

export function unrepresentable(key: string, why: string, cause?: unknown): StoreError {
  return new StoreError(
    'unrepresentable',
    key,
    `a folder cannot hold ${JSON.stringify(key)}: it ${why}`,
    { cause },
  )
}
