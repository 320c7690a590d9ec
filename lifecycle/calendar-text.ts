import type { DayPart, DayView, Shade } from './calendar-view.ts'
import { weekdayIndex } from './local-time.ts'
import type { Transition } from './schedule.ts'
import { wallTime } from './local-time.ts'

const DAYS = 'Mon Tue Wed Thu Fri Sat Sun'.split(' ')
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const BLOCKS: Readonly<Record<Shade, string>> = {
  open: '█',
  closed: '·',
  holiday: 'H',
  'override open': '▓',
  'override closed': 'x',
}
const HALF_HOURS = 48

/** A week in the terminal: a row a day, a sign for each half hour. */
export function weekText(days: readonly DayView[]): string {
  const rows = days.map((day) => {
    const signs = Array.from({ length: HALF_HOURS }, (_, index) =>
      signAt(day, index * 30, (index + 1) * 30),
    ).join('')
    return `${dayName(day.date).padEnd(11)} ${signs}${notes(day.parts)}\n`
  })
  const hours = Array.from({ length: 8 }, (_, index) => String(index * 3).padEnd(6)).join('')
  return `${' '.repeat(12)}${hours.trimEnd()}\n${rows.join('')}${LEGEND}`
}

/** A year in the terminal: a row a month, a sign for each day. */
export function yearText(days: readonly DayView[]): string {
  const months = MONTHS.map((name, month) => {
    const own = days.filter(({ date }) => Number(date.slice(5, 7)) === month + 1)
    return `${name}  ${own.map(daySign).join('')}\n`
  })
  const tens = '1        10        20        30'
  return `     ${tens}\n${months.join('')}█ open all day   ▄ part of it   · closed   H bank holiday   ▓ override   now: |\n`
}

const LEGEND =
  '█ open   · closed   H bank holiday   ▓ opened by an override   x closed by one   now: |\n'

/** The next changes, a line each: local time, UTC, what happens and why. */
export function transitionsText(transitions: readonly Transition[], timeZone: string): string {
  return transitions
    .map(({ atUtc, state, reason }) => {
      const { date, time } = wallTime(timeZone, atUtc)
      const utc = new Date(atUtc).toISOString().slice(11, 16)
      return `${dayName(date).padEnd(11)} ${time} (${utc} UTC)  ${state === 'awake' ? 'opens ' : 'closes'}  ${reason}\n`
    })
    .join('')
}

function signAt({ parts, nowMinute }: DayView, fromMinute: number, toMinute: number): string {
  if (nowMinute !== undefined && nowMinute >= fromMinute && nowMinute < toMinute) return '|'
  const middle = (fromMinute + toMinute) / 2
  const part = parts.find((one) => one.fromMinute <= middle && one.toMinute > middle)
  return part === undefined ? ' ' : BLOCKS[part.shade]
}

function daySign({ parts, nowMinute }: DayView): string {
  if (nowMinute !== undefined) return '|'
  if (parts.some(({ shade }) => shade.startsWith('override'))) return BLOCKS['override open']
  const open = parts.filter(({ state }) => state === 'awake')
  if (open.length === parts.length) return BLOCKS.open
  if (open.length > 0) return '▄'
  return parts.some(({ shade }) => shade === 'holiday') ? BLOCKS.holiday : BLOCKS.closed
}

/** Reasons that are not those of every week. */
function notes(parts: readonly DayPart[]): string {
  const special = parts.filter(({ shade }) => shade !== 'open' && shade !== 'closed')
  const reasons = [...new Set(special.map(({ reason }) => reason))]
  return reasons.length === 0 ? '' : `  ${reasons.join('; ')}`
}

/** `Mon 4 May`. */
export function dayName(date: string): string {
  const month = MONTHS[Number(date.slice(5, 7)) - 1] ?? ''
  return `${DAYS[weekdayIndex(date)] ?? ''} ${Number(date.slice(8))} ${month}`
}
