import { intervalAt, type Interval, type Intervals } from '../../lifecycle/intervals.ts'
import { slotWords } from './schedule-book.ts'
import type { Schedule } from './schedule-config.ts'

/** The slots of a schedule that come while the service is asleep. */
export type AsleepSlots = {
  readonly schedule: Schedule
  readonly asleep: number
  readonly of: number
  readonly firstUtc: number
}

/** undefined where every slot in `range` comes while the service is awake. */
export function asleepSlots(
  schedule: Schedule,
  awake: Intervals,
  range: Interval,
): AsleepSlots | undefined {
  let of = 0
  let asleep = 0
  let firstUtc: number | undefined
  for (const slot of schedule.slots.between(range.fromUtc, range.toUtc)) {
    of++
    if (intervalAt(awake, slot) !== undefined) continue
    asleep++
    firstUtc ??= slot
  }
  return firstUtc === undefined ? undefined : { schedule, asleep, of, firstUtc }
}

/** Whether it would never ring at all: nobody is awake for it, and nothing is made up for. */
export function neverRings({ schedule, asleep, of }: AsleepSlots): boolean {
  return schedule.missed === 'skip' && asleep === of
}

/** In a sentence for operators, without a full stop. */
export function asleepWords({ schedule, asleep, of, firstUtc }: AsleepSlots): string {
  const { name, missed, slots } = schedule
  const times = `${asleep.toLocaleString('en-GB')} of ${of.toLocaleString('en-GB')} times`
  return `\`${name}\` rings while the service is asleep, ${times} in the next four weeks, first on ${slotWords(firstUtc, slots.timeZone)}: ${BECOMES[missed]}`
}

const BECOMES = {
  skip: 'those are left out; move it into the opening hours, or set `missed: once`',
  once: 'one run for all of them follows at the opening',
  all: 'each of them follows at the opening',
} as const
