import { overrideInterval, stretches, type Holidays } from './awake.ts'
import type { Interval } from './intervals.ts'
import { wallTime, weekdayIndex } from './local-time.ts'
import { weekdays, type Schedule } from './schedule.ts'

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const DAYS = 'Mon Tue Wed Thu Fri Sat Sun'.split(' ')

/** What differs from the ordinary week, a sentence each: what a person reads before an apply. */
export function remarkableDays(schedule: Schedule, holidays: Holidays, range: Interval): string[] {
  const { timeZone, windows } = schedule
  const openDays = new Set<string>(windows.flatMap(({ days }) => days))
  const found = stretches(schedule, holidays, range).flatMap((stretch) => {
    if (stretch.rule !== 'holiday') return []
    const { date, time } = wallTime(timeZone, stretch.fromUtc)
    // A night that a holiday takes is told with its holiday, and a closed day stays as it was.
    const usuallyOpen = openDays.has(weekdays[weekdayIndex(date)] ?? '')
    if (!usuallyOpen || time !== '00:00' || stretch.reason.startsWith('the night')) return []
    return [{ atUtc: stretch.fromUtc, text: `${dayText(date)} stays asleep: ${stretch.reason}` }]
  })
  for (const override of schedule.overrides) {
    const { fromUtc, toUtc } = overrideInterval(override, timeZone)
    if (toUtc <= range.fromUtc || fromUtc >= range.toUtc) continue
    const [from, to] = [wallTime(timeZone, fromUtc), wallTime(timeZone, toUtc)]
    const end = from.date === to.date ? to.time : `${dayText(to.date)} ${to.time}`
    const text = `${dayText(from.date)} ${from.time} to ${end} is ${override.state}: ${override.reason} (${override.by})`
    found.push({ atUtc: fromUtc, text })
  }
  return found.sort((a, b) => a.atUtc - b.atUtc).map(({ text }) => text)
}

/** `Mon 4 May 2026`. */
function dayText(date: string): string {
  const [year = '', month = '', day = ''] = date.split('-')
  return `${DAYS[weekdayIndex(date)] ?? ''} ${Number(day)} ${MONTHS[Number(month) - 1] ?? ''} ${year}`
}
