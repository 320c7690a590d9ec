import type { Store } from '../adapters/store.ts'
import { chunkInventory, limitsFor, type Chunk, type ChunkLimits } from '../flow/chunk.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import type { Attempt } from '../model/transfer.ts'
import { readState, readStateIfThere } from './create-once.ts'
import { readPart, readParts } from './parts.ts'
import type { Intake } from './seal.ts'
import { planKey } from './state-layout.ts'

export type Plan = { readonly chunks: readonly Chunk[]; readonly limits: ChunkLimits }

/** The attempt's plan: cut once, by whoever comes first, and never cut again. */
export async function planAttempt(
  state: Store,
  attempt: Attempt,
  intake: Intake,
  limits: ChunkLimits,
): Promise<{ readonly plan: Plan; readonly resumed: boolean }> {
  const before = await readStateIfThere<Plan>(state, planKey(attempt))
  if (before !== undefined) return { plan: before, resumed: true }
  const sizes: number[] = []
  for await (const entry of readParts<InventoryEntry>(
    state,
    attempt,
    'inventory',
    intake.inventory.length,
  )) {
    sizes.push(entry.carried === undefined ? entry.sizeBytes : 0)
  }
  const chosen = limitsFor(
    { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) },
    limits,
  )
  const plan: Plan = { chunks: chunkInventory(sizes, chosen), limits: chosen }
  const won = await state.createIfAbsent(planKey(attempt), JSON.stringify(plan))
  if (won === 'created') return { plan, resumed: false }
  return { plan: await readState<Plan>(state, planKey(attempt)), resumed: true }
}

const PARTS_HELD = 3

/** Reads any contiguous range of the sealed inventory, holding a few parts at a time. */
export class InventoryReader {
  readonly #state: Store
  readonly #attempt: Attempt
  /** Position of the first entry of each part, and one past the last. */
  readonly #starts: number[] = [0]
  readonly #held = new Map<number, Promise<readonly InventoryEntry[]>>()

  constructor(state: Store, attempt: Attempt, intake: Pick<Intake, 'inventory'>) {
    this.#state = state
    this.#attempt = attempt
    for (const part of intake.inventory) this.#starts.push((this.#starts.at(-1) ?? 0) + part.lines)
  }

  async range(first: number, count: number): Promise<InventoryEntry[]> {
    const entries: InventoryEntry[] = []
    for (let part = 0; part + 1 < this.#starts.length; part++) {
      const start = this.#starts[part] ?? 0
      const end = this.#starts[part + 1] ?? 0
      if (end <= first || start >= first + count) continue
      const lines = await this.#part(part)
      entries.push(...lines.slice(Math.max(0, first - start), first + count - start))
    }
    if (entries.length !== count)
      throw new Error(`bug: the inventory has no entries ${first} to ${first + count}`)
    return entries
  }

  #part(number: number): Promise<readonly InventoryEntry[]> {
    const held = this.#held.get(number)
    if (held !== undefined) return held
    const read = readPart<InventoryEntry>(this.#state, this.#attempt, 'inventory', number)
    const oldest = this.#held.keys().next().value
    if (this.#held.size >= PARTS_HELD && oldest !== undefined) this.#held.delete(oldest)
    this.#held.set(number, read)
    return read
  }
}
