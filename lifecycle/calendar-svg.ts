import { dayName } from './calendar-text.ts'
import type { DayView, Shade } from './calendar-view.ts'

const LEFT = 92
const TOP = 26
const ROW = 30
const BAR = 20
const HOUR = 30
const WIDTH = LEFT + 24 * HOUR + 8

/** Dark enough against white, and told apart by pattern where colour is not seen. */
const FILLS: Readonly<Record<Shade, string>> = {
  open: '#00703c',
  closed: '#f3f2f1',
  holiday: 'url(#wharfinger-holiday)',
  'override open': '#1d70b8',
  'override closed': '#505a5f',
}
const WORDS: Readonly<Record<Shade, string>> = {
  open: 'open',
  closed: 'closed',
  holiday: 'bank holiday',
  'override open': 'opened by an override',
  'override closed': 'closed by an override',
}

/**
 * A week as a picture that needs neither scripts nor styles: a row a day, planned hours as bars,
 * hours in which tasks really ran as a line under them, and now. `describedBy` names it for those
 * who hear the page.
 */
export function weekSvg(days: readonly DayView[], describedBy: string): string {
  const height = TOP + days.length * ROW + 30
  const rows = days.map((day, index) => rowOf(day, TOP + index * ROW))
  const hours = Array.from({ length: 9 }, (_, index) => {
    const x = LEFT + index * 3 * HOUR
    return `<line x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${TOP + days.length * ROW}" stroke="#b1b4b6" stroke-width="1"/><text x="${x}" y="${TOP - 10}" text-anchor="middle">${String(index * 3).padStart(2, '0')}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="week-title week-description" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="14" fill="#0b0c0c">`,
    `<title id="week-title">${escaped(describedBy)}</title>`,
    `<desc id="week-description">${escaped(days.map(spoken).join(' '))}</desc>`,
    '<defs><pattern id="wharfinger-holiday" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#f3f2f1"/><line x1="0" y1="0" x2="0" y2="6" stroke="#b58840" stroke-width="3"/></pattern></defs>',
    ...hours,
    ...rows,
    legend(days, TOP + days.length * ROW + 18),
    '</svg>',
  ].join('')
}

function rowOf({ date, parts, actual, nowMinute }: DayView, y: number): string {
  const bars = parts.map(
    ({ fromMinute, toMinute, shade, reason }) =>
      `<rect x="${x(fromMinute)}" y="${y}" width="${x(toMinute) - x(fromMinute)}" height="${BAR}" fill="${FILLS[shade]}" stroke="#ffffff" stroke-width="0.5"><title>${escaped(`${clock(fromMinute)} to ${clock(toMinute)}: ${WORDS[shade]}, ${reason}`)}</title></rect>`,
  )
  const ran = actual.map(
    ({ fromMinute, toMinute }) =>
      `<rect x="${x(fromMinute)}" y="${y + BAR + 1}" width="${Math.max(1, x(toMinute) - x(fromMinute))}" height="4" fill="#0b0c0c"><title>${clock(fromMinute)} to ${clock(toMinute)}: tasks ran</title></rect>`,
  )
  const now =
    nowMinute === undefined
      ? ''
      : `<line x1="${x(nowMinute)}" y1="${y - 4}" x2="${x(nowMinute)}" y2="${y + BAR + 6}" stroke="#d4351c" stroke-width="3"/>`
  return `<text x="0" y="${y + 15}">${dayName(date)}</text>${bars.join('')}${ran.join('')}${now}`
}

function legend(days: readonly DayView[], y: number): string {
  const shown = new Set(days.flatMap(({ parts }) => parts.map(({ shade }) => shade)))
  let at = LEFT
  const entries = [...shown].map((shade) => {
    const entry = `<rect x="${at}" y="${y - 11}" width="14" height="14" fill="${FILLS[shade]}" stroke="#505a5f" stroke-width="0.5"/><text x="${at + 20}" y="${y + 1}">${WORDS[shade]}</text>`
    at += 40 + WORDS[shade].length * 8
    return entry
  })
  const measured = days.some(({ actual }) => actual.length > 0)
    ? `<rect x="${at}" y="${y - 4}" width="14" height="4" fill="#0b0c0c"/><text x="${at + 20}" y="${y + 1}">tasks ran</text>`
    : ''
  return `${entries.join('')}${measured}`
}

/** `Mon 4 May: open 00:00 to 20:00.` */
function spoken({ date, parts }: DayView): string {
  const said = parts.map(
    ({ fromMinute, toMinute, shade, reason }) =>
      `${WORDS[shade]}${shade === 'open' || shade === 'closed' ? '' : ` (${reason})`} ${clock(fromMinute)} to ${clock(toMinute)}`,
  )
  return `${dayName(date)}: ${said.join(', ')}.`
}

function x(minute: number): number {
  return LEFT + (minute * HOUR) / 60
}

function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
