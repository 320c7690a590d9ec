import cronstrue from 'cronstrue'
import type { Store } from '../adapters/store.ts'
import { wallTime } from '../../lifecycle/local-time.ts'
import type { Schedule } from './schedule-config.ts'
import { readPause, SlotLedger, type Pause, type SlotRecord } from './slot-ledger.ts'

/** A schedule as people see it. */
export type ScheduleView = {
  readonly name: string
  readonly cron: string
  readonly timeZone: string
  /** The cron expression in plain English. */
  readonly reading: string
  /** Names of drop zones; undefined for all. */
  readonly zones?: readonly string[]
  readonly missed: Schedule['missed']
  readonly overlap: Schedule['overlap']
  /** The newest word where there is one: paused, or resumed. */
  readonly pause?: Pause
  readonly last?: SlotRecord
  /** When it rings next, whether paused or not. */
  readonly nextUtc?: number
}

const HORIZON_MS = 5 * 366 * 24 * 60 * 60 * 1000
const NEVER_RUN_BY_HAND = { beatMs: 0, staleMs: 0 } // this ledger is only read

/** Every schedule with its last and next run. */
export async function readScheduleBook(
  state: Store,
  schedules: readonly Schedule[],
  now: Date,
): Promise<ScheduleView[]> {
  const ledger = new SlotLedger(state, NEVER_RUN_BY_HAND)
  const views: ScheduleView[] = []
  for (const schedule of schedules) {
    const { name, slots, zones, missed, overlap } = schedule
    const pause = await readPause(state, name)
    const last = await ledger.newest(name, now.getTime())
    const [nextUtc] = nextSlots(schedule, now, 1)
    views.push({
      name,
      cron: slots.cron,
      timeZone: slots.timeZone,
      reading: readingOf(slots.cron),
      missed,
      overlap,
      ...(zones === undefined ? {} : { zones }),
      ...(pause === undefined ? {} : { pause }),
      ...(last === undefined ? {} : { last }),
      ...(nextUtc === undefined ? {} : { nextUtc }),
    })
  }
  return views
}

/** The next slots, at most five years ahead. */
export function nextSlots({ slots }: Schedule, after: Date, count: number): number[] {
  const next: number[] = []
  for (const slot of slots.between(after.getTime(), after.getTime() + HORIZON_MS)) {
    next.push(slot)
    if (next.length === count) break
  }
  return next
}

/** `Sat 28 Nov 2026 07:00 Europe/London (07:00 UTC)`. */
export function slotWords(slotUtc: number, timeZone: string): string {
  const { date, time } = wallTime(timeZone, slotUtc)
  const day = new Date(`${date}T00:00:00Z`).toLocaleDateString('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  })
  return `${day.replace(',', '')} ${time} ${timeZone} (${new Date(slotUtc).toISOString().slice(11, 16)} UTC)`
}

/** "At 07:00, Monday through Friday". */
export function readingOf(cron: string): string {
  return cronstrue.toString(cron, { use24HourTimeFormat: true })
}
