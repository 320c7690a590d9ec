import { constants, copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../run/decisions.ts'

/**
 * The files of a folder under another one, as hard links: none is written. A file that `link` cannot
 * link, because its file system has no links or lets nobody link what belongs to somebody else, is
 * copied. Symbolic links and devices are left out, as they would be named and left out of a transfer.
 * Throws Refusal for what cannot be read.
 */
export function linkTree(
  from: string,
  to: string,
  link: (source: string, target: string) => void,
): void {
  mkdirSync(to, { recursive: true })
  for (const entry of orRefuse(from, () => readdirSync(from, { withFileTypes: true }))) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) linkTree(source, target, link)
    else if (entry.isFile()) linkOrCopy(source, target, link)
  }
}

function linkOrCopy(
  source: string,
  target: string,
  link: (source: string, target: string) => void,
): void {
  try {
    link(source, target)
  } catch (error) {
    if (!isSystemError(error) || !NO_LINKS.has(error.code)) throw error
    orRefuse(source, () => copyFileSync(source, target, constants.COPYFILE_FICLONE))
  }
}

const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'EACCES',
  'EXDEV',
  'EMLINK',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
])

function orRefuse<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!isSystemError(error)) throw error
    const why = error.code === 'ENOSPC' ? 'cannot be copied: the disk is full' : 'cannot be read'
    throw new Refusal(`${path} ${why} (${error.code})`)
  }
}

function isSystemError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}
