import type { HolidayCalendar } from './bank-holidays.ts'
import { canonical, type Interval, type Intervals } from './intervals.ts'
import { datePlus, instantOf, nextDate, startOfDay, wallTime, weekdayIndex } from './local-time.ts'
import { weekdays, type Decision, type Override, type Schedule } from './schedule.ts'
import type { Transition, WeeklyWindow } from './schedule.ts'

/** The bank holidays that a schedule closes on; undefined where it closes on none or none are known. */
export type Holidays = HolidayCalendar | undefined

/** A stretch of time with one state for one reason. */
export type Stretch = Interval & Decision

/** When the service should be awake. Throws UnsureTimeError where the clocks change at a window's hour. */
export function awakeIntervals(schedule: Schedule, holidays: Holidays, range: Interval): Intervals {
  return canonical(stretches(schedule, holidays, range).filter(({ state }) => state === 'awake'))
}

/** The state at an instant, and the rule that decides it. */
export function decide(schedule: Schedule, holidays: Holidays, instantUtc: number): Decision {
  const [found] = stretches(schedule, holidays, { fromUtc: instantUtc, toUtc: instantUtc + 1 })
  if (found === undefined) throw new Error('bug: an instant that no rule decides')
  const { state, rule, reason, source } = found
  return { state, rule, reason, source }
}

/** Every change of state in the range, in order; one at `range.fromUtc` itself belongs to it. */
export function transitions(
  schedule: Schedule,
  holidays: Holidays,
  range: Interval,
): readonly Transition[] {
  const all = stretches(schedule, holidays, { ...range, fromUtc: range.fromUtc - 1 })
  return all.flatMap(({ fromUtc, state, rule, reason, source }, index) =>
    index > 0 && all[index - 1]?.state !== state
      ? [{ atUtc: fromUtc, state, rule, reason, source }]
      : [],
  )
}

/** The range, cut wherever another rule or reason takes over. */
export function stretches(
  schedule: Schedule,
  holidays: Holidays,
  range: Interval,
): readonly Stretch[] {
  const days = civilDays(schedule, holidays, range)
  return painted(range, [
    wholeRange(schedule, range),
    ...days.flatMap((day) => day.windows),
    ...nights(schedule, holidays, days),
    ...days.flatMap((day) => day.closed),
    ...overrideStretches(schedule),
  ])
}

/** From when to when an override holds: its expiry may come before its end. */
export function overrideInterval(override: Override, timeZone: string): Interval {
  const toUtc = overrideInstant(override.to, timeZone)
  const expiresUtc =
    override.expires === undefined ? toUtc : overrideInstant(override.expires, timeZone)
  return { fromUtc: overrideInstant(override.from, timeZone), toUtc: Math.min(toUtc, expiresUtc) }
}

/**
 * `yyyy-mm-ddTHH:MM` in the zone, or an instant with `Z` or an offset, cut to the minute because
 * AWS knows no less. Throws UnsureTimeError.
 */
function overrideInstant(text: string, timeZone: string): number {
  const local = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)$/.exec(text)
  if (local === null) return Math.floor(Date.parse(text) / 60_000) * 60_000
  return instantOf(timeZone, local[1] ?? '', local[2] ?? '')
}

function overrideStretches({ overrides, timeZone }: Schedule): Stretch[] {
  return overrides.map((override) => ({
    ...overrideInterval(override, timeZone),
    state: override.state,
    rule: 'override',
    reason: override.reason,
    source: `override by ${override.by}`,
  }))
}

function wholeRange({ windows }: Schedule, range: Interval): Stretch {
  return windows.length === 0
    ? { ...range, state: 'awake', rule: 'default', reason: 'no weekly windows', source: 'default' }
    : { ...range, state: 'asleep', reason: 'outside the weekly windows', ...weekly }
}

const weekly = { rule: 'weekly', source: 'weekly windows' } as const

type CivilDay = {
  readonly date: string
  /** Whether the service opens on this day, whichever rule says so. */
  readonly open: boolean
  /** The weekly windows that open on this day; none where a holiday closes it. */
  readonly windows: readonly Stretch[]
  /** The whole day, where the calendar decides it: a holiday, or a day it does not cover. */
  readonly closed: readonly Stretch[]
}

// Two days on either side: a window may reach into the next day, and a night belongs to two days.
function civilDays(schedule: Schedule, holidays: Holidays, range: Interval): CivilDay[] {
  const days: CivilDay[] = []
  const last = datePlus(wallTime(schedule.timeZone, range.toUtc).date, 2)
  let date = datePlus(wallTime(schedule.timeZone, range.fromUtc).date, -2)
  for (; date <= last; date = nextDate(date)) days.push(civilDay(schedule, holidays, date))
  return days
}

function civilDay(schedule: Schedule, holidays: Holidays, date: string): CivilDay {
  const { timeZone } = schedule
  const wholeDay = (): Interval => ({
    fromUtc: startOfDay(timeZone, date),
    toUtc: startOfDay(timeZone, nextDate(date)),
  })
  if (!isCovered(schedule, holidays, date)) {
    const reason = 'the bank holidays of this day are not known'
    const day: Stretch = {
      ...wholeDay(),
      state: 'awake',
      rule: 'default',
      reason,
      source: 'default',
    }
    return { date, open: true, windows: [], closed: [day] }
  }
  const holiday = schedule.closedOn === 'no holidays' ? undefined : holidays?.holidays.get(date)
  if (holiday !== undefined) {
    const note = holiday.notes === '' ? '' : ` (${holiday.notes.toLowerCase()})`
    const day: Stretch = {
      ...wholeDay(),
      ...holidayRule(holidays),
      reason: `${holiday.title}${note}`,
    }
    return { date, open: false, windows: [], closed: [day] }
  }
  const windows = windowsOf(schedule, date).map((window): Stretch => ({
    ...windowInterval(window, timeZone, date),
    state: 'awake',
    reason: `weekly window ${window.opens} to ${window.closes}`,
    ...weekly,
  }))
  return { date, open: windows.length > 0, windows, closed: [] }
}

function isCovered(schedule: Schedule, holidays: Holidays, date: string): boolean {
  if (schedule.closedOn === 'no holidays') return true
  return holidays !== undefined && holidays.coversFrom <= date && date <= holidays.coversTo
}

function holidayRule(holidays: Holidays) {
  const source = `${holidays?.source ?? ''}, snapshot of ${holidays?.asOf ?? ''}`
  return { state: 'asleep', rule: 'holiday', source } as const
}

function windowsOf({ windows }: Schedule, date: string): WeeklyWindow[] {
  const weekday = weekdays[weekdayIndex(date)]
  return windows.filter(({ days }) => days.some((day) => day === weekday))
}

/** A window of one date. Midnight is the start of its day, also where the clocks skip it. */
function windowInterval(window: WeeklyWindow, timeZone: string, date: string): Interval {
  const { opens, closes } = window
  const next = nextDate(date)
  const at = (day: string, time: string) =>
    time === '00:00' ? startOfDay(timeZone, day) : instantOf(timeZone, day, time)
  const fromUtc = at(date, opens)
  if (closes === '24:00') return { fromUtc, toUtc: startOfDay(timeZone, next) }
  return { fromUtc, toUtc: at(closes <= opens ? next : date, closes) }
}

/**
 * The time between the windows of one day and those of the next, where nights are kept: awake
 * between two open days, and the holiday's own where only the holiday closes one of them.
 */
function nights(schedule: Schedule, holidays: Holidays, days: readonly CivilDay[]): Stretch[] {
  if (schedule.nights === 'asleep' || schedule.windows.length === 0) return []
  return days.flatMap((day, index): Stretch[] => {
    const next = days[index + 1]
    if (next === undefined) return []
    const night = { fromUtc: closing(day), toUtc: opening(next) }
    if (day.open && next.open) {
      return [{ ...night, state: 'awake', reason: 'the night between two open days', ...weekly }]
    }
    const opensWeekly = (one: CivilDay) => windowsOf(schedule, one.date).length > 0
    const [eve] = next.closed
    if (day.open && eve !== undefined && opensWeekly(next))
      return [{ ...night, ...holidayRule(holidays), reason: `the night before ${eve.reason}` }]
    const [after] = day.closed
    if (next.open && after !== undefined && opensWeekly(day))
      return [{ ...night, ...holidayRule(holidays), reason: `the night after ${after.reason}` }]
    return []
  })
}

function closing({ windows, closed }: CivilDay): number {
  return Math.max(...[...windows, ...closed].map(({ toUtc }) => toUtc))
}

function opening({ windows, closed }: CivilDay): number {
  return Math.min(...[...windows, ...closed].map(({ fromUtc }) => fromUtc))
}

/** Lay stretches over each other, later ones on top, and cut to the range. */
function painted(range: Interval, layers: readonly Stretch[]): readonly Stretch[] {
  const inside = layers.flatMap((layer) => {
    const fromUtc = Math.max(layer.fromUtc, range.fromUtc)
    const toUtc = Math.min(layer.toUtc, range.toUtc)
    return fromUtc < toUtc ? [{ ...layer, fromUtc, toUtc }] : []
  })
  const cuts = [...new Set(inside.flatMap(({ fromUtc, toUtc }) => [fromUtc, toUtc]))]
  cuts.sort((a, b) => a - b)
  const place = new Map(cuts.map((cut, index) => [cut, index]))
  const top = cuts.slice(1).map((): Stretch | undefined => undefined)
  for (const layer of inside) {
    top.fill(layer, place.get(layer.fromUtc) ?? 0, place.get(layer.toUtc) ?? 0)
  }
  const result: Stretch[] = []
  for (const [index, layer] of top.entries()) {
    const fromUtc = cuts[index] ?? 0
    const toUtc = cuts[index + 1] ?? 0
    if (layer === undefined) continue
    const last = result.at(-1)
    const same = last?.state === layer.state && last.reason === layer.reason
    if (last !== undefined && same && last.rule === layer.rule)
      result[result.length - 1] = { ...last, toUtc }
    else result.push({ ...layer, fromUtc, toUtc })
  }
  return result
}
