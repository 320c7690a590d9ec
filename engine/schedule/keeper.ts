import type { Store } from '../adapters/store.ts'
import type { Schedule } from './schedule-config.ts'
import { readPause, type SlotEnd, type SlotLedger } from './slot-ledger.ts'

export type KeeperEvent =
  | { readonly kind: 'rang'; readonly schedule: string; readonly slot: string }
  | {
      readonly kind: 'not run'
      readonly schedule: string
      readonly slots: number
      readonly why: string
    }
  | {
      readonly kind: 'failed'
      readonly schedule: string
      readonly slot: string
      readonly error: Error
    }

export type KeeperOptions = {
  readonly state: Store
  readonly ledger: SlotLedger
  readonly schedules: readonly Schedule[]
  /** What a slot is for. */
  readonly run: (schedule: Schedule) => Promise<void>
  readonly now: () => Date
  /** 0 to 1, for jitter. */
  readonly random: () => number
  readonly wait: (milliseconds: number) => Promise<void>
  readonly log: (event: KeeperEvent) => void
}

/** A slot rung within so many milliseconds counts as in time. */
const IN_TIME_MS = 120_000

/**
 * Keeps schedules. The bell (node-cron, once a minute) says only that time has passed; what is
 * due follows from the slots since the last one handled, so a late, lost or doubled bell, a
 * frozen process and a weekend asleep are all the same case.
 */
export class Keeper {
  readonly #options: KeeperOptions
  readonly #handled = new Map<string, number>()
  /** The run in progress of each schedule, in this process. */
  readonly #running = new Map<string, Promise<void>>()
  /** Slots that another task has begun, or that failed here: done by somebody, or rung again. */
  readonly #unfinished = new Map<string, number>()
  #turn: Promise<void> = Promise.resolve()

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  /** Handle whatever is due. Resolves when it is begun; `settled` waits for the runs. */
  bell(): Promise<void> {
    return (this.#turn = this.#afterTurn())
  }

  async #afterTurn(): Promise<void> {
    await this.#turn
    for (const schedule of this.#options.schedules) {
      await this.#finish(schedule)
      await this.#handle(schedule)
    }
  }

  async settled(): Promise<void> {
    await this.#turn
    await Promise.all(this.#running.values())
  }

  async #handle(schedule: Schedule): Promise<void> {
    const { ledger, log, now, state } = this.#options
    const nowUtc = now().getTime()
    const last = this.#handled.get(schedule.name) ?? (await this.#lastBefore(schedule, nowUtc))
    const due = [...schedule.slots.between(last, nowUtc)]
    const newest = due.at(-1)
    if (newest === undefined) return
    this.#handled.set(schedule.name, newest)
    const notRun = async (outcome: SlotEnd['outcome'], why: string, slots: number) => {
      await ledger.mark(schedule.name, newest, { outcome, why, endedAt: now().toISOString() })
      log({ kind: 'not run', schedule: schedule.name, slots, why })
    }
    if ((await readPause(state, schedule.name))?.paused === true)
      return notRun('paused', 'the schedule is paused', due.length)
    const chosen = choose(schedule, due, nowUtc)
    if (chosen.length === 0) return notRun('skipped', 'nobody was there to run it', due.length)
    if (chosen.length < due.length) {
      const why = `missed slots: ${schedule.missed}`
      log({ kind: 'not run', schedule: schedule.name, slots: due.length - chosen.length, why })
    }
    if (this.#running.has(schedule.name) && schedule.overlap === 'skip')
      return notRun('skipped', 'the run before it still went on', chosen.length)
    for (const slot of chosen) this.#begin(schedule, slot)
  }

  async #finish(schedule: Schedule): Promise<void> {
    const slotUtc = this.#unfinished.get(schedule.name)
    if (slotUtc === undefined || this.#running.has(schedule.name)) return
    this.#unfinished.delete(schedule.name)
    const { end } = await this.#options.ledger.read(schedule.name, slotUtc)
    if (end === undefined) this.#begin(schedule, slotUtc)
  }

  /** Run a slot, after whatever of its schedule is running. */
  #begin(schedule: Schedule, slotUtc: number): void {
    const before = this.#running.get(schedule.name) ?? Promise.resolve()
    const after = before.then(() => this.#run(schedule, slotUtc))
    const tracked: Promise<void> = after.finally(() => {
      if (this.#running.get(schedule.name) === tracked) this.#running.delete(schedule.name)
    })
    this.#running.set(schedule.name, tracked)
  }

  async #run(schedule: Schedule, slotUtc: number): Promise<void> {
    const { ledger, log, now, random, run, wait } = this.#options
    const slot = new Date(slotUtc).toISOString()
    try {
      if (schedule.jitterSeconds > 0) await wait(random() * schedule.jitterSeconds * 1000)
      const end = await ledger.run(schedule.name, slotUtc, () => run(schedule), now)
      if (end === 'elsewhere') this.#unfinished.set(schedule.name, slotUtc)
      else log({ kind: 'rang', schedule: schedule.name, slot })
    } catch (thrown) {
      this.#unfinished.set(schedule.name, slotUtc)
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      log({ kind: 'failed', schedule: schedule.name, slot, error })
    }
  }

  /**
   * Where to go on from after a start: behind the newest slot anybody handled. One that was
   * claimed and never ended is due again. A schedule nobody knows yet has missed nothing.
   */
  async #lastBefore({ name }: Schedule, nowUtc: number): Promise<number> {
    const newest = await this.#options.ledger.newest(name, nowUtc)
    if (newest === undefined) return nowUtc - 60_000
    return newest.end === undefined ? newest.slotUtc - 60_000 : newest.slotUtc
  }
}

/** The slots to run of those that are due, by the missed-run policy. */
function choose(schedule: Schedule, due: readonly number[], nowUtc: number): readonly number[] {
  const newest = due.slice(-1)
  if (schedule.missed === 'all') return due
  if (schedule.missed === 'once') return newest
  return newest.filter((slot) => nowUtc - slot < IN_TIME_MS)
}
