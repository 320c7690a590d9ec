import type { Queue } from '../adapters/queue.ts'
import type { Store } from '../adapters/store.ts'
import { transferPrefix, type TransferAddress } from '../model/transfer.ts'
import { admittedKey, admittedPrefix } from './state-layout.ts'
import { writeWorkMessage } from './work-message.ts'

export type AdmissionLimits = {
  /** Transfers of one integrator that are sealed, checked or merged at once, in each drop zone. */
  readonly perIntegrator: number
  /** After how long a transfer that was let in and is not sealed is let in again. */
  readonly readmitAfterMs: number
}

/** What a sweep of one drop zone came to. */
export type SweepSummary = {
  /** Transfers let in now. */
  readonly admitted: number
  /** Transfers on their way. */
  readonly inHand: number
  /** Complete transfers that wait for their integrator's turn. */
  readonly waiting: number
  /** How long the one that was completed first has waited, by the drop zone's clock. */
  readonly oldestSeconds: number
}

const AGES_READ = 20

/** Lets transfers into the queue, each integrator so many at once: nobody waits for another's million files. */
export class Admission {
  readonly #state: Store
  readonly #queue: Queue
  readonly #limits: AdmissionLimits
  /** Transfers that this process has let in. */
  readonly #letIn = new Set<string>()

  constructor(state: Store, queue: Queue, limits: AdmissionLimits) {
    this.#state = state
    this.#queue = queue
    this.#limits = limits
  }

  /** Put one transfer in the queue, whatever waits. */
  async ring(transfer: TransferAddress): Promise<void> {
    await this.#queue.send([
      { body: writeWorkMessage({ kind: 'transfer', transfer }), group: transfer.integrator },
    ])
  }

  /** One more may come in. */
  forget(transfer: TransferAddress): void {
    this.#letIn.delete(transferPrefix(transfer))
  }

  /** Let in what has arrived and has its turn, beside what is sealed already. */
  async admit(
    arrived: readonly TransferAddress[],
    sealed: readonly TransferAddress[],
    zone: Store,
    signal: AbortSignal,
  ): Promise<SweepSummary> {
    const inHand = new Map<string, number>()
    const count = ({ integrator }: TransferAddress) =>
      inHand.set(integrator, (inHand.get(integrator) ?? 0) + 1)
    for (const transfer of sealed) count(transfer)
    let admitted = 0
    let waiting = 0
    let oldestMs = 0
    for (const transfer of arrived) {
      if (signal.aborted) break
      const times = await this.#admittedLately(transfer)
      const mayComeIn = (inHand.get(transfer.integrator) ?? 0) < this.#limits.perIntegrator
      if (times !== 'lately' && !mayComeIn) {
        // The first few of each: what waits longest is among them often enough to tell.
        if (++waiting <= AGES_READ) oldestMs = Math.max(oldestMs, await completedMs(zone, transfer))
        continue
      }
      count(transfer)
      if (times === 'lately') continue
      const claimed = await this.#state.createIfAbsent(admittedKey(transfer, times + 1), '{}')
      if (claimed === 'exists') continue
      this.#letIn.add(transferPrefix(transfer))
      await this.ring(transfer)
      admitted++
    }
    return {
      admitted,
      inHand: [...inHand.values()].reduce((a, b) => a + b, 0),
      waiting,
      oldestSeconds: Math.round(oldestMs / 1000),
    }
  }

  /** How often a transfer was let in; 'lately' where it is still on its way to being sealed. */
  async #admittedLately(transfer: TransferAddress): Promise<number | 'lately'> {
    let times = 0
    for await (const _ of this.#state.list({ prefix: admittedPrefix(transfer) })) times++
    if (times === 0) return 0
    if (!this.#queue.outlivesProcess && !this.#letIn.has(transferPrefix(transfer))) return times
    const age = await this.#state.ageMs(admittedKey(transfer, times))
    return age !== undefined && age < this.#limits.readmitAfterMs ? 'lately' : times
  }
}

async function completedMs(zone: Store, transfer: TransferAddress): Promise<number> {
  return (await zone.ageMs(`${transferPrefix(transfer)}complete.json`)) ?? 0
}
