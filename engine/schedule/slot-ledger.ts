import type { Store } from '../adapters/store.ts'
import { mark, readState, readStateIfThere } from '../run/create-once.ts'
import { pausesPrefix, slotName, slotPrefix, slotsPrefix } from '../run/state-layout.ts'
import { takeTurn, type TurnTiming } from '../run/turn.ts'

/** What became of one slot. */
export type SlotEnd = {
  readonly outcome: 'ran' | 'skipped' | 'paused' | 'failed'
  readonly why?: string
  readonly endedAt: string
}

export type SlotRecord = {
  readonly slotUtc: number
  /** undefined: claimed by a task that has not said yet how it ended. */
  readonly end?: SlotEnd
}

/** Longer than the longest closure; what was missed before that is not caught up with. */
export const CATCH_UP_MS = 8 * 24 * 60 * 60 * 1000

/**
 * Which slots of a schedule are taken and done, in the state store: many tasks hear the same
 * bell, one of them runs the slot.
 */
export class SlotLedger {
  readonly #state: Store
  readonly #timing: TurnTiming

  constructor(state: Store, timing: TurnTiming) {
    this.#state = state
    this.#timing = timing
  }

  /** The newest slot that anybody has claimed or marked within the catch-up time. */
  async newest(schedule: string, nowUtc: number): Promise<SlotRecord | undefined> {
    const prefix = slotsPrefix(schedule)
    const startAfter = slotPrefix(schedule, nowUtc - CATCH_UP_MS)
    let slotUtc: number | undefined
    for await (const { key } of this.#state.list({ prefix, startAfter }))
      slotUtc = slotTime(key.slice(prefix.length).split('/')[0] ?? '') ?? slotUtc
    return slotUtc === undefined ? undefined : this.read(schedule, slotUtc)
  }

  async read(schedule: string, slotUtc: number): Promise<SlotRecord> {
    const end = await readStateIfThere<SlotEnd>(this.#state, doneKey(schedule, slotUtc))
    return end === undefined ? { slotUtc } : { slotUtc, end }
  }

  /** Say what became of a slot that is not run. */
  async mark(schedule: string, slotUtc: number, end: SlotEnd): Promise<void> {
    await mark(this.#state, doneKey(schedule, slotUtc), end)
  }

  /**
   * Run a slot if it is this task's: not done, and nobody alive has it. A task that dies over it
   * leaves it to the next one.
   */
  async run(
    schedule: string,
    slotUtc: number,
    work: () => Promise<void>,
    now: () => Date,
  ): Promise<SlotEnd | 'elsewhere'> {
    const done = doneKey(schedule, slotUtc)
    if ((await this.#state.head(done)) !== undefined) return 'elsewhere'
    const turn = await takeTurn(this.#state, `${slotPrefix(schedule, slotUtc)}turns/`, this.#timing)
    if (turn === undefined) return 'elsewhere'
    try {
      await work()
    } catch (error) {
      await turn.release()
      throw error
    }
    const end: SlotEnd = { outcome: 'ran', endedAt: now().toISOString() }
    await mark(this.#state, done, end)
    turn.end()
    return end
  }
}

export type Pause = {
  readonly paused: boolean
  readonly who: string
  readonly why: string
  readonly at: string
}

/** The newest word on whether a schedule rings. */
export async function readPause(state: Store, schedule: string): Promise<Pause | undefined> {
  const keys = await pauseKeys(state, schedule)
  const last = keys.at(-1)
  return last === undefined ? undefined : readState<Pause>(state, last)
}

export async function recordPause(state: Store, schedule: string, pause: Pause): Promise<void> {
  for (;;) {
    const number = (await pauseKeys(state, schedule)).length + 1
    const key = `${pausesPrefix(schedule)}${String(number).padStart(5, '0')}.json`
    if ((await state.createIfAbsent(key, JSON.stringify(pause))) === 'created') return
  }
}

async function pauseKeys(state: Store, schedule: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of state.list({ prefix: pausesPrefix(schedule) })) keys.push(key)
  return keys
}

function doneKey(schedule: string, slotUtc: number): string {
  return `${slotPrefix(schedule, slotUtc)}done.json`
}

/** The instant of a slot's name, or undefined for anything else. */
function slotTime(name: string): number | undefined {
  const [, year, month, day, hour, minute] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z$/.exec(name) ?? []
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:00Z`)
  return Number.isNaN(time) || slotName(time) !== name ? undefined : time
}
