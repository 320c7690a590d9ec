import type { Store, StoredObject } from '../adapters/store.ts'
import { compareKeys } from '../model/key-order.ts'
import type { Attempt } from '../model/transfer.ts'
import { readPart, type PartSummary } from './parts.ts'

const PARTS_HELD = 4

/** Answers "is this key in the sealed listing?" without holding the listing. */
export class ListingIndex {
  readonly #state: Store
  readonly #attempt: Attempt
  readonly #parts: readonly PartSummary[]
  readonly #held = new Map<number, Set<string>>()

  constructor(state: Store, attempt: Attempt, parts: readonly PartSummary[]) {
    this.#state = state
    this.#attempt = attempt
    this.#parts = parts
  }

  async has(key: string): Promise<boolean> {
    const number = this.#parts.findIndex(
      ({ firstKey, lastKey }) =>
        firstKey !== undefined &&
        lastKey !== undefined &&
        compareKeys(firstKey, key) <= 0 &&
        compareKeys(key, lastKey) <= 0,
    )
    if (number < 0) return false
    let keys = this.#held.get(number)
    if (keys === undefined) {
      const objects = await readPart<StoredObject>(this.#state, this.#attempt, 'listing', number)
      keys = new Set(objects.map((object) => object.key))
      const oldest = this.#held.keys().next().value
      if (this.#held.size >= PARTS_HELD && oldest !== undefined) this.#held.delete(oldest)
      this.#held.set(number, keys)
    }
    return keys.has(key)
  }
}
