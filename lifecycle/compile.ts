import { createHash } from 'node:crypto'
import { awakeIntervals, type Holidays } from './awake.ts'
import { bitsOf, coverDays, type DayRule, type MonthNeed } from './cover-days.ts'
import { intervalAt, type Interval, type Intervals } from './intervals.ts'
import { UnsureTimeError, instantOf, startOfDay, wallTime, weekdayIndex } from './local-time.ts'
import type { Capacity, Effect, Schedule, ScheduledActionSpec } from './schedule.ts'

/** With soft closure, how long after closing a backlog may open the service again. */
export const SOFT_DELAY_MINUTES = 5
const SOFT_DELAY_MS = SOFT_DELAY_MINUTES * 60_000

/** An effect that has to come at an instant. */
type Firing = { readonly effect: Effect; readonly atUtc: number }

/** The years from the first to the last, as the schedule's zone has them. */
export function horizon(timeZone: string, years: readonly number[]): Interval {
  const start = (year: number) => startOfDay(timeZone, `${year}-01-01`)
  return { fromUtc: start(Math.min(...years)), toUtc: start(Math.max(...years) + 1) }
}

/**
 * The scheduled actions that keep the bounds as the schedule says, minute by minute, from the
 * first of the years to the last: the fewest for each year. Where the last year ends asleep, the
 * last action wakes the service: nothing is known after it, and not known means awake.
 *
 * Firing a second time in a state that is already right changes nothing, so an expression may
 * name such days where that saves another expression. `at()` actions before `notBeforeUtc` are
 * left out, because AWS refuses them.
 */
export function compile(
  schedule: Schedule,
  holidays: Holidays,
  years: readonly number[],
  capacity: Capacity,
  notBeforeUtc = -Infinity,
): readonly ScheduledActionSpec[] {
  const { timeZone } = schedule
  const range = horizon(timeZone, years)
  const awake = awakeIntervals(schedule, holidays, range)
  const regular = new Set(firings({ ...schedule, overrides: [] }, holidays, range).map(firingKey))
  const single: Firing[] = []
  const byTime = new Map<string, { effect: Effect; time: string; needed: Set<string> }>()
  for (const firing of firings(schedule, holidays, range)) {
    const { date, time } = wallTime(timeZone, firing.atUtc)
    const repeats =
      regular.has(firingKey(firing)) && sureInstant(timeZone, date, time) !== undefined
    if (!repeats) {
      single.push(firing)
      continue
    }
    const key = `${firing.effect} ${time}`
    const group = byTime.get(key) ?? { effect: firing.effect, time, needed: new Set<string>() }
    group.needed.add(date)
    byTime.set(key, group)
  }
  if (awake.at(-1)?.toUtc !== range.toUtc) single.push({ effect: 'wake', atUtc: range.toUtc })

  const expressions = new Map<string, Expression>()
  for (const { effect, time, needed } of byTime.values()) {
    const isRight = (date: string) => {
      const atUtc = sureInstant(timeZone, date, time)
      return atUtc !== undefined && isRightAt({ effect, atUtc }, awake, schedule)
    }
    for (const year of [...years].sort((a, b) => a - b)) {
      for (const rule of coverDays(monthNeeds(year, needed, isRight))) {
        const fields = cronFields(time, rule)
        const key = `${effect} ${fields}`
        const known = expressions.get(key) ?? { effect, fields, months: rule.months, years: [] }
        expressions.set(key, { ...known, years: [...known.years, year] })
      }
    }
  }
  return [
    ...[...expressions.values()].map((one) => repeating(one, timeZone, capacity)),
    ...single
      .filter(({ atUtc }) => atUtc >= notBeforeUtc)
      .map((firing) => once(firing, timeZone, capacity)),
  ].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** One cron expression and the years in which it is the same. `fields` lacks the year. */
type Expression = {
  readonly effect: Effect
  readonly fields: string
  readonly months: readonly number[]
  readonly years: readonly number[]
}

function firings(schedule: Schedule, holidays: Holidays, range: Interval): Firing[] {
  // One minute before, so that a change at the very start of the range is a change.
  const before = { ...range, fromUtc: range.fromUtc - 60_000 }
  const awake = awakeIntervals(schedule, holidays, before)
  const found: Firing[] = []
  const closes = (atUtc: number, opensUtc: number) => {
    found.push({ effect: 'sleep', atUtc })
    const softUtc = atUtc + SOFT_DELAY_MS
    if (schedule.closure === 'soft' && softUtc < opensUtc)
      found.push({ effect: 'soft', atUtc: softUtc })
  }
  for (const [index, { fromUtc, toUtc }] of awake.entries()) {
    if (fromUtc > before.fromUtc) found.push({ effect: 'wake', atUtc: fromUtc })
    if (toUtc < before.toUtc) closes(toUtc, awake[index + 1]?.fromUtc ?? before.toUtc)
  }
  return found
}

function firingKey({ effect, atUtc }: Firing): string {
  return `${effect} ${atUtc}`
}

/** Whether the effect leaves the bounds as they have to be at that instant. */
function isRightAt({ effect, atUtc }: Firing, awake: Intervals, { closure }: Schedule): boolean {
  const isAwake = (instantUtc: number) => intervalAt(awake, instantUtc) !== undefined
  if (isAwake(atUtc)) return effect === 'wake'
  if (closure === 'hard') return effect === 'sleep'
  const closedUtc = awake.findLast(({ toUtc }) => toUtc <= atUtc)?.toUtc ?? -Infinity
  return effect === (atUtc - closedUtc < SOFT_DELAY_MS ? 'sleep' : 'soft')
}

/** The instant of a wall time, or undefined on a day that has it twice or not at all. */
function sureInstant(timeZone: string, date: string, time: string): number | undefined {
  try {
    return instantOf(timeZone, date, time)
  } catch (error) {
    if (error instanceof UnsureTimeError) return undefined
    throw error
  }
}

function monthNeeds(
  year: number,
  needed: ReadonlySet<string>,
  isRight: (date: string) => boolean,
): MonthNeed[] {
  return Array.from({ length: 12 }, (_, month): MonthNeed => {
    const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
    const dates = Array.from({ length }, (_day, index) =>
      new Date(Date.UTC(year, month, index + 1)).toISOString().slice(0, 10),
    )
    const bitsWhere = (holds: (date: string) => boolean) =>
      dates.reduce((bits, date, day) => (holds(date) ? bits | (1 << day) : bits), 0)
    const neededBits = bitsWhere((date) => needed.has(date))
    return {
      needed: neededBits,
      forbidden: neededBits === 0 ? 0 : bitsWhere((date) => !needed.has(date) && !isRight(date)),
      firstWeekday: weekdayIndex(dates[0] ?? ''),
      length,
    }
  })
}

/** `0 7 ? 2,6 MON-FRI`: the fields of AWS's cron before the year. */
function cronFields(time: string, rule: DayRule): string {
  const months = rule.months.length === 12 ? '*' : listed(rule.months)
  const [days, weekdays] =
    rule.kind === 'days'
      ? [listed(bitsOf(rule.days).map((day) => day + 1)), '?']
      : ['?', listedWeekdays(rule.weekdays)]
  return [Number(time.slice(3)), Number(time.slice(0, 2)), days, months, weekdays].join(' ')
}

/** AWS's week starts on Sunday, so that a range must not run past Saturday. */
const awsWeek = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const

function listedWeekdays(bits: number): string {
  const numbers = bitsOf(bits).map((mondayFirst) => (mondayFirst + 1) % 7)
  return listed(
    numbers.sort((a, b) => a - b),
    (number) => awsWeek[number] ?? '',
  )
}

/** `1-3,8,10`: three in a row become a range. */
function listed(numbers: readonly number[], word: (number: number) => string = String): string {
  const runs: number[][] = []
  for (const number of numbers) {
    const run = runs.at(-1)
    if (run?.at(-1) === number - 1) run.push(number)
    else runs.push([number])
  }
  return runs
    .map((run) =>
      run.length > 2
        ? `${word(run[0] ?? 0)}-${word(run.at(-1) ?? 0)}`
        : run.map((number) => word(number)).join(','),
    )
    .join(',')
}

function repeating(one: Expression, timezone: string, capacity: Capacity): ScheduledActionSpec {
  const two = one.months.map((month) => String(month).padStart(2, '0'))
  const when = [listed(one.years), ...(two.length === 12 ? [] : [two.join('+')])].join('.')
  return named(
    one.effect,
    when.replaceAll(',', '+'),
    `cron(${one.fields} ${listed(one.years)})`,
    timezone,
    capacity,
  )
}

/** In the schedule's zone, or in UTC where the zone has that time twice. */
function once({ effect, atUtc }: Firing, timeZone: string, capacity: Capacity) {
  const { date, time } = wallTime(timeZone, atUtc)
  const zone = sureInstant(timeZone, date, time) === undefined ? 'UTC' : timeZone
  const local = wallTime(zone, atUtc)
  const when = local.date.slice(0, 7).replace('-', '.')
  return named(effect, when, `at(${local.date}T${local.time}:00)`, zone, capacity)
}

function named(
  effect: Effect,
  when: string,
  schedule: string,
  timezone: string,
  { minTasks, maxTasks }: Capacity,
): ScheduledActionSpec {
  const minCapacity = effect === 'wake' ? minTasks : 0
  const maxCapacity = effect === 'sleep' ? 0 : maxTasks
  const content = { schedule, timezone, minCapacity, maxCapacity, effect }
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 8)
  return { name: `lc.${effect}.${when}.${hash}`, ...content }
}
