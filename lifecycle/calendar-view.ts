import { overrideInterval, stretches, transitions, type Holidays } from './awake.ts'
import { canonical, intersect, type Interval, type Intervals } from './intervals.ts'
import { datePlus, startOfDay, wallTime, weekdayIndex } from './local-time.ts'
import type { Rule, Schedule, State, Transition } from './schedule.ts'

/** What a stretch of a day is drawn as. */
export type Shade = 'open' | 'closed' | 'holiday' | 'override open' | 'override closed'

/** A part of one civil day with one rule; minutes from local midnight, 0 to 1440. */
export type DayPart = {
  readonly fromMinute: number
  readonly toMinute: number
  readonly state: State
  readonly shade: Shade
  readonly reason: string
}

export type DayView = {
  /** `yyyy-mm-dd`. */
  readonly date: string
  readonly parts: readonly DayPart[]
  /** When tasks really ran, where that was measured. */
  readonly actual: readonly Pick<DayPart, 'fromMinute' | 'toMinute'>[]
  readonly nowMinute?: number
}

export type CalendarFacts = {
  readonly schedule: Schedule
  readonly holidays: Holidays
  readonly nowUtc: number
  /** When at least one task ran; undefined where nobody measured it. */
  readonly actual?: Intervals
}

/** The seven civil days from the Monday on or before `date`. */
export function weekView(facts: CalendarFacts, date: string): readonly DayView[] {
  const monday = datePlus(date, -weekdayIndex(date))
  return daysFrom(facts, monday, 7)
}

/** Every day of a year. */
export function yearView(facts: CalendarFacts, year: number): readonly DayView[] {
  const first = `${year}-01-01`
  const days = (Date.UTC(year + 1, 0) - Date.UTC(year, 0)) / 86_400_000
  return daysFrom(facts, first, days)
}

/** The next changes of state, with what decides each. */
export function nextTransitions(
  { schedule, holidays, nowUtc }: CalendarFacts,
  count: number,
): readonly Transition[] {
  // Longer than any closure: ten transitions are a week of nights, or five weekends.
  const aheadMs = count * 14 * 86_400_000
  return transitions(schedule, holidays, { fromUtc: nowUtc + 1, toUtc: nowUtc + aheadMs }).slice(
    0,
    count,
  )
}

function daysFrom(facts: CalendarFacts, first: string, count: number): DayView[] {
  const { schedule, holidays, nowUtc, actual = [] } = facts
  const { timeZone } = schedule
  const fromUtc = startOfDay(timeZone, first)
  const toUtc = startOfDay(timeZone, datePlus(first, count))
  const all = stretches(schedule, holidays, { fromUtc, toUtc })
  const days: DayView[] = []
  let at = 0
  for (let index = 0; index < count; index++) {
    const date = datePlus(first, index)
    const day: Interval = {
      fromUtc: startOfDay(timeZone, date),
      toUtc: startOfDay(timeZone, datePlus(date, 1)),
    }
    // Where the clocks change, a day is drawn by what its clocks show.
    const minuteOf = (instantUtc: number): number => {
      if (instantUtc >= day.toUtc) return 1440
      const { time } = wallTime(timeZone, instantUtc)
      return Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
    }
    while ((all[at]?.toUtc ?? Infinity) <= day.fromUtc) at++
    const parts: DayPart[] = []
    for (let next = at; (all[next]?.fromUtc ?? Infinity) < day.toUtc; next++) {
      const stretch = all[next]
      if (stretch === undefined) break
      const fromMinute = stretch.fromUtc <= day.fromUtc ? 0 : minuteOf(stretch.fromUtc)
      const toMinute = minuteOf(Math.min(stretch.toUtc, day.toUtc))
      const { state, rule, reason } = stretch
      if (fromMinute < toMinute)
        parts.push({ fromMinute, toMinute, state, shade: shadeOf(state, rule), reason })
    }
    days.push({
      date,
      parts,
      actual: intersect(canonical(actual), [day]).map((ran) => ({
        fromMinute: ran.fromUtc <= day.fromUtc ? 0 : minuteOf(ran.fromUtc),
        toMinute: minuteOf(ran.toUtc),
      })),
      ...(nowUtc >= day.fromUtc && nowUtc < day.toUtc ? { nowMinute: minuteOf(nowUtc) } : {}),
    })
  }
  return days
}

function shadeOf(state: State, rule: Rule): Shade {
  if (rule === 'override') return state === 'awake' ? 'override open' : 'override closed'
  if (state === 'awake') return 'open'
  return rule === 'holiday' ? 'holiday' : 'closed'
}

/** The overrides that meet a stretch of time, for a list beside the picture. */
export function overridesIn({ schedule }: CalendarFacts, range: Interval): readonly string[] {
  return schedule.overrides.flatMap((override) => {
    const { fromUtc, toUtc } = overrideInterval(override, schedule.timeZone)
    if (toUtc <= range.fromUtc || fromUtc >= range.toUtc) return []
    return [
      `${override.state} ${override.from} to ${override.to}: ${override.reason} (${override.by})`,
    ]
  })
}
