import type { Store } from '../adapters/store.ts'
import type { TransferAddress } from '../model/transfer.ts'
import { dueTransfers } from '../run/sweep.ts'
import type { ServiceContext } from './context.ts'
import { completeKey } from './complete.ts'

/** What has landed whole and nobody has taken yet. */
export type Waiting = {
  readonly count: number
  /** There are more than were counted. */
  readonly more: boolean
  /** Milliseconds since the oldest of those counted was completed, by the store's clock. */
  readonly oldestMs?: number
}

const COUNTED = 50
const FRESH_MS = 5_000
const SENDERS_HELD = 100

/** Looks into the drop zones, at most every five seconds: one listing for each sender and system. */
export class WaitingRoom {
  readonly #context: ServiceContext
  #known: { readonly at: number; readonly waiting: Promise<Waiting> } | undefined
  readonly #ofSenders = new Map<
    string,
    { readonly at: number; readonly transfers: Promise<readonly TransferAddress[]> }
  >()

  constructor(context: ServiceContext) {
    this.#context = context
  }

  look(): Promise<Waiting> {
    const at = performance.now()
    if (this.#known === undefined || at - this.#known.at > FRESH_MS) {
      const waiting = this.#count()
      this.#known = { at, waiting }
      waiting.catch(() => (this.#known = undefined)) // asked again by the next page
    }
    return this.#known.waiting
  }

  /** One sender's own, in key order; no more than a page of them. */
  of(integrator: string): Promise<readonly TransferAddress[]> {
    const at = performance.now()
    const known = this.#ofSenders.get(integrator)
    if (known !== undefined && at - known.at <= FRESH_MS) return known.transfers
    const transfers = this.#collect(integrator)
    if (this.#ofSenders.size >= SENDERS_HELD) this.#ofSenders.clear()
    this.#ofSenders.set(integrator, { at, transfers })
    transfers.catch(() => this.#ofSenders.delete(integrator))
    return transfers
  }

  async #collect(integrator: string): Promise<readonly TransferAddress[]> {
    const transfers: TransferAddress[] = []
    for await (const { transfer } of this.#untaken()) {
      if (transfer.integrator !== integrator) continue
      transfers.push(transfer)
      if (transfers.length === COUNTED) break
    }
    return transfers
  }

  async #count(): Promise<Waiting> {
    let count = 0
    let oldestMs: number | undefined
    for await (const { transfer, store } of this.#untaken()) {
      if (count === COUNTED) return { count, more: true, ...oldest(oldestMs) }
      count++
      const ageMs = await store.ageMs(completeKey(transfer))
      if (ageMs !== undefined) oldestMs = Math.max(oldestMs ?? 0, ageMs)
    }
    return { count, more: false, ...oldest(oldestMs) }
  }

  async *#untaken(): AsyncGenerator<{ readonly transfer: TransferAddress; readonly store: Store }> {
    const { config, zone, zoneStore, otherZones, state, now } = this.#context
    for (const one of config.dropZones.length === 0 ? [zone] : config.dropZones) {
      const store = one.name === zone.name ? zoneStore : otherZones?.get(one.name)
      if (store === undefined) continue
      // A quiet zone is left out of the look: being quiet is measured by sweeps alone.
      const marked = { ...one, quietMinutes: null }
      for await (const { transfer, progress } of dueTransfers(marked, store, state, now()))
        if (progress?.taken !== true) yield { transfer, store }
    }
  }
}

function oldest(oldestMs: number | undefined): Pick<Waiting, 'oldestMs'> {
  return oldestMs === undefined ? {} : { oldestMs }
}
