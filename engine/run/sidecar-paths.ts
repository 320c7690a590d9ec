import { StoreError, type Store } from '../adapters/store.ts'
import { matchKey } from '../flow/match-key.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import type { ExternalSort } from '../scratch/external-sort.ts'
import { readSidecar, SIDECAR_LIMIT_BYTES } from '../sources/tdr-sidecar.ts'
import type { UnnamedFile } from './near-matches.ts'

/** Sidecars read at once: they are small, and only the way to the store takes time. */
const AT_ONCE = 32

/**
 * Files that no document names by their keys, under the paths that documents may name them by: what
 * its sidecar says, where a file has one, else its own. Sidecars are read here only where documents
 * lie beside them; what is wrong with one is reported by the worker that reads it again.
 */
export class UnnamedFiles {
  readonly #unnamed: ExternalSort
  readonly #store: Store
  readonly #transferPrefix: string
  #waiting: InventoryEntry[] = []

  constructor(unnamed: ExternalSort, store: Store, transferPrefix: string) {
    this.#unnamed = unnamed
    this.#store = store
    this.#transferPrefix = transferPrefix
  }

  /** Throws StoreError where a sidecar cannot be read for now. */
  async add(entry: InventoryEntry): Promise<void> {
    if (entry.sidecar === undefined) return this.#put(entry.key, entry.path)
    this.#waiting.push(entry)
    if (this.#waiting.length >= AT_ONCE) await this.end()
  }

  async end(): Promise<void> {
    const entries = this.#waiting
    this.#waiting = []
    const paths = await Promise.all(entries.map((entry) => this.#pathInSidecar(entry)))
    for (const [i, entry] of entries.entries()) this.#put(entry.key, paths[i] ?? entry.path)
  }

  #put(key: string, path: string): void {
    this.#unnamed.add(matchKey(path), JSON.stringify({ key, path } satisfies UnnamedFile))
  }

  async #pathInSidecar({ sidecar, root }: InventoryEntry): Promise<string | undefined> {
    if (sidecar === undefined) return undefined
    const key = (sidecar.root ?? root ?? this.#transferPrefix) + sidecar.key
    const limits = { maxBytes: SIDECAR_LIMIT_BYTES, etag: sidecar.etag }
    try {
      const bytes = await this.#store.readWhole(key, limits)
      return readSidecar(bytes, sidecar.key, () => undefined)?.path
    } catch (error) {
      if (!(error instanceof StoreError) || error.retryable) throw error
      return undefined
    }
  }
}
