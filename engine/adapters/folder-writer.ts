import { randomBytes } from 'node:crypto'
import {
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  unlink,
  type FileHandle,
} from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, systemCode, unrepresentable } from './folder-errors.ts'
import { bytesOfKey, TEMPORARY } from './folder-names.ts'
import { wayTo } from './folder-walk.ts'
import { refuseAborted, StoreError, type StoreCallOptions } from './store.ts'

type Body = Uint8Array | string | AsyncIterable<Uint8Array>

const STALE_MS = 24 * 60 * 60 * 1000 // no write takes a day; what is older was left by a kill
const KNOWN_FOLDERS = 10_000 // bounds memory in a process that runs for months

/**
 * Durable writes below a folder: a temporary file, synced, then linked or renamed to its name, and
 * the folders on the way synced. A kill at any point leaves either nothing or the whole object.
 */
export class FolderWriter {
  readonly #root: string
  readonly #temporary: string
  /** Folders that are known to survive a power cut, so that one sync each is enough from then on. */
  readonly #durable = new Set<string>()
  #swept = false

  constructor(path: string) {
    this.#root = path
    this.#temporary = join(path, TEMPORARY)
  }

  async createIfAbsent(
    key: string,
    body: Body,
    options: StoreCallOptions | undefined,
  ): Promise<'created' | 'exists'> {
    let outcome: 'created' | 'exists' = 'created'
    await this.#place(key, body, options, async (temporary, target) => {
      try {
        await link(temporary, target)
      } catch (error) {
        if (noHardLinks.has(systemCode(error) ?? ''))
          throw new StoreError(
            'denied',
            key,
            `${key}: this file system makes no hard links, which create-once writes need`,
            { cause: error },
          )
        if (systemCode(error) !== 'EEXIST') throw error
        if ((await lstat(target)).isDirectory())
          throw unrepresentable(key, 'is a folder of other objects', error)
        outcome = 'exists'
      }
    })
    return outcome
  }

  async write(key: string, body: Body, options: StoreCallOptions | undefined): Promise<void> {
    await this.#place(key, body, options, rename)
  }

  /** What time it is where this folder lies, in epoch milliseconds: the time of a file made now. */
  async clockMs(): Promise<number> {
    const temporary = join(this.#temporary, randomBytes(12).toString('hex'))
    const file = await this.#openTemporary(temporary)
    try {
      return (await file.stat()).mtimeMs
    } finally {
      await file.close()
      await unlink(temporary)
    }
  }

  async #place(
    key: string,
    body: Body,
    options: StoreCallOptions | undefined,
    toTarget: (temporary: string, target: Buffer) => Promise<void>,
  ): Promise<void> {
    refuseAborted(key, options)
    const temporary = join(this.#temporary, randomBytes(12).toString('hex'))
    const file = await this.#openTemporary(temporary)
    try {
      try {
        await this.#sweep(file)
        await fill(file, key, body, options)
        await file.sync()
      } finally {
        await file.close()
      }
      const folder = key.slice(0, key.lastIndexOf('/') + 1)
      const way = wayTo(this.#root, folder)
      if (way === 'blocked') throw unrepresentable(key, 'lies below a file or a symbolic link')
      if (way === 'missing') await mkdir(this.#pathOf(folder), { recursive: true })
      await toTarget(temporary, this.#pathOf(key))
      await this.#makeDurable(folder)
    } finally {
      await unlink(temporary).catch((error: unknown) => {
        if (!isMissing(error)) throw error // renamed, or never made
      })
    }
  }

  async #openTemporary(path: string): Promise<FileHandle> {
    try {
      return await open(path, 'wx')
    } catch (error) {
      if (!isMissing(error)) throw error
      await mkdir(this.#temporary, { recursive: true })
      return open(path, 'wx')
    }
  }

  /** Once in the life of a writer: drop what kills left, by the file system's own clock. */
  async #sweep(fresh: FileHandle): Promise<void> {
    if (this.#swept) return
    this.#swept = true
    const { mtimeMs: nowMs } = await fresh.stat()
    for (const name of await readdir(this.#temporary)) {
      const path = join(this.#temporary, name)
      try {
        if (nowMs - (await lstat(path)).mtimeMs > STALE_MS) await unlink(path)
      } catch (error) {
        if (!isMissing(error)) throw error // another process swept it
      }
    }
  }

  /** The entry in its folder always; the folders above once, for they may be new. */
  async #makeDurable(folder: string): Promise<void> {
    await syncFolder(this.#pathOf(folder))
    if (this.#durable.has(folder)) return
    for (let end = folder.lastIndexOf('/', folder.length - 2); ;) {
      await syncFolder(this.#pathOf(folder.slice(0, end + 1)))
      if (end < 0) break
      end = folder.lastIndexOf('/', end - 1)
    }
    if (this.#durable.size >= KNOWN_FOLDERS) this.#durable.clear()
    this.#durable.add(folder)
  }

  #pathOf(key: string): Buffer {
    return Buffer.concat([Buffer.from(`${this.#root}/`), bytesOfKey(key)])
  }
}

const noHardLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV'])

async function fill(
  file: FileHandle,
  key: string,
  body: Body,
  options: StoreCallOptions | undefined,
): Promise<void> {
  if (typeof body === 'string' || body instanceof Uint8Array) return file.writeFile(body)
  for await (const piece of body) {
    refuseAborted(key, options)
    await file.writeFile(piece)
  }
}

async function syncFolder(folder: Buffer): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some network file systems cannot sync a folder; they write its entries through.
    if (systemCode(error) !== 'EINVAL') throw error
  } finally {
    await handle.close()
  }
}
