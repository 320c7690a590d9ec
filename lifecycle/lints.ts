import { awakeIntervals, overrideInterval, transitions, type Holidays } from './awake.ts'
import { complement, intersect, type Interval } from './intervals.ts'
import type { LifecycleSettings } from './lifecycle-config.ts'
import { UnsureTimeError, wallTime } from './local-time.ts'
import type { Schedule, WeeklyWindow } from './schedule.ts'
import { weekdays } from './schedule.ts'
import { lintTemplate, type Lint, type Template } from './template-lints.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const HORIZON_DAYS = 60
const WEEK_MINUTES = 7 * 24 * 60

/** Everything that stands in the way of applying these settings now, to what a template deploys. */
export function lintSettings(
  settings: LifecycleSettings,
  holidays: Holidays,
  nowUtc: number,
  template?: Template,
): readonly Lint[] {
  const { schedule, wakeBudgetMinutes, retentionHours } = settings
  const lints = [
    ...overlappingWindows(schedule.windows),
    ...overrideLints(schedule, nowUtc),
    ...horizonLints(holidays, nowUtc),
  ]
  const until = horizonOf(holidays, nowUtc)
  let closures: Interval[]
  try {
    const range = { fromUtc: nowUtc, toUtc: until }
    closures = [...complement(awakeIntervals(schedule, holidays, range), range)]
    // A transition in a gap or overlap is found by asking for every one.
    transitions(schedule, holidays, range)
  } catch (error) {
    if (!(error instanceof UnsureTimeError)) throw error
    return [
      ...lints,
      { reason: error.message, fix: 'Open and close at a time that every day has exactly once.' },
    ]
  }
  const longest = closures.toSorted((a, b) => b.toUtc - b.fromUtc - (a.toUtc - a.fromUtc))[0]
  const hours = longest === undefined ? 0 : (longest.toUtc - longest.fromUtc) / HOUR_MS
  if (template !== undefined) lints.push(...lintTemplate(template, hours + wakeBudgetMinutes / 60))
  if (longest !== undefined && hours + wakeBudgetMinutes / 60 > retentionHours) {
    const { date, time } = wallTime(schedule.timeZone, longest.fromUtc)
    lints.push({
      reason: `The longest closure is ${hours} hours (from ${date} ${time}), with the time to wake longer than the ${retentionHours} hours for which messages are kept.`,
      fix: 'Keep messages longer (14 days is the most), or open in between.',
    })
  }
  return lints
}

function horizonOf(holidays: Holidays, nowUtc: number): number {
  return holidays === undefined
    ? nowUtc + 366 * DAY_MS
    : Date.parse(`${holidays.coversTo}T00:00:00Z`)
}

function horizonLints(holidays: Holidays, nowUtc: number): Lint[] {
  if (horizonOf(holidays, nowUtc) - nowUtc >= HORIZON_DAYS * DAY_MS) return []
  return [
    {
      reason: `The calendar of bank holidays ends on ${holidays?.coversTo ?? ''}, less than ${HORIZON_DAYS} days ahead.`,
      fix: 'Take a newer calendar: wharfinger lifecycle calendar refresh.',
    },
  ]
}

function overlappingWindows(windows: readonly WeeklyWindow[]): Lint[] {
  const stretches = windows.flatMap(({ days, opens, closes }) =>
    days.flatMap((day) => {
      const from = weekdays.indexOf(day) * 1440 + minutes(opens)
      const length = (minutes(closes) - minutes(opens) + 1440) % 1440 || 1440
      // Twice, so that a Sunday night is seen to reach into Monday.
      return [0, WEEK_MINUTES].map((shift) => ({
        fromUtc: from + shift,
        toUtc: from + shift + length,
        what: `${day} ${opens}-${closes}`,
      }))
    }),
  )
  const found = new Set<string>()
  for (const [i, one] of stretches.entries())
    for (const other of stretches.slice(i + 1))
      if (one.what !== other.what && intersect([one], [other]).length > 0)
        found.add([one.what, other.what].toSorted().join(' and '))
  return [...found].map((pair) => ({
    reason: `The windows ${pair} overlap.`,
    fix: 'Make one window of them, or let one end where the other begins.',
  }))
}

function minutes(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number)
  return hour * 60 + minute
}

function overrideLints({ overrides, timeZone }: Schedule, nowUtc: number): Lint[] {
  const intervals = overrides.map((override) => ({
    ...overrideInterval(override, timeZone),
    override,
  }))
  const lints: Lint[] = []
  for (const [i, one] of intervals.entries()) {
    const said = `${one.override.from} to ${one.override.to} (${one.override.reason})`
    if (one.toUtc <= nowUtc)
      lints.push({ reason: `The override ${said} has passed.`, fix: 'Remove it.' })
    for (const other of intervals.slice(i + 1))
      if (one.override.state !== other.override.state && intersect([one], [other]).length > 0)
        lints.push({
          reason: `The override ${said} says ${one.override.state}, and another one ${other.override.state} for the same time (${other.override.reason}).`,
          fix: 'Let them follow one another.',
        })
  }
  return lints
}
