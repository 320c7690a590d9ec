import { divisions, type CalendarSnapshot, type Division } from './bank-holidays.ts'
import type { BankHoliday, PublishedCalendar } from './bank-holidays.ts'

/** One difference between two calendars, for a person to read before the new one is taken. */
export type CalendarChange = {
  readonly kind: 'added' | 'removed' | 'renamed'
  readonly division: Division
  readonly date: string
  readonly title: string
  /** The title before, where it was renamed. */
  readonly was?: string
}

/** Everything that differs, by division and date. Notes and bunting decide nothing and are left out. */
export function diffCalendars(
  before: PublishedCalendar,
  after: PublishedCalendar,
): CalendarChange[] {
  return divisions.flatMap((division) => {
    const old = byDate(before[division].events)
    const young = byDate(after[division].events)
    const dates = [...new Set([...old.keys(), ...young.keys()])].sort()
    return dates.flatMap((date): CalendarChange[] => {
      const was = old.get(date)?.title
      const title = young.get(date)?.title
      if (title === undefined) return [{ kind: 'removed', division, date, title: was ?? '' }]
      if (was === undefined) return [{ kind: 'added', division, date, title }]
      return was === title ? [] : [{ kind: 'renamed', division, date, title, was }]
    })
  })
}

export type Refresh = {
  /** The snapshot to keep if the changes are taken. */
  readonly snapshot: CalendarSnapshot
  readonly changes: readonly CalendarChange[]
  /** Years the published calendar no longer lists; we keep ours. gov.uk dropped its history once (2025-08). */
  readonly keptYears: readonly string[]
  /** Days taken away in a year that is still listed: somebody has to say yes to each. */
  readonly removals: readonly CalendarChange[]
}

/**
 * What taking a newly published calendar would do. It never shrinks what we have: years that
 * are no longer published stay, and days that were withdrawn are named apart.
 */
export function refreshSnapshot(
  current: CalendarSnapshot,
  published: PublishedCalendar,
  read: { readonly source: string; readonly asOf: string },
): Refresh {
  const kept = new Set<string>()
  const merged = (division: Division) => {
    const { events } = published[division]
    const years = new Set(events.map(({ date }) => date.slice(0, 4)))
    const ours = current.calendar[division].events.filter(
      ({ date }) => !years.has(date.slice(0, 4)),
    )
    for (const { date } of ours) kept.add(date.slice(0, 4))
    return { division, events: [...ours, ...events].sort((a, b) => (a.date < b.date ? -1 : 1)) }
  }
  const calendar: PublishedCalendar = {
    'england-and-wales': merged('england-and-wales'),
    scotland: merged('scotland'),
    'northern-ireland': merged('northern-ireland'),
  }
  const changes = diffCalendars(current.calendar, calendar)
  return {
    snapshot: { ...read, calendar },
    changes,
    keptYears: [...kept].sort(),
    removals: changes.filter(({ kind }) => kind === 'removed'),
  }
}

function byDate(events: readonly BankHoliday[]): ReadonlyMap<string, BankHoliday> {
  return new Map(events.map((event) => [event.date, event]))
}
