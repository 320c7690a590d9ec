/**
 * AWS's own reading of `cron(minute hour day month weekday year)` and `at(...)`, from its user
 * guides: exactly one of day and weekday is `?`, weekdays count from SUN = 1. Written apart from
 * the compiler, and with Intl instead of its calendar, so that a mistake in one shows in the other.
 */
export type Clockwork = {
  readonly schedule: string
  /** IANA name. */
  readonly timezone: string
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Every instant (epoch ms) in [fromMs, toMs) at which it fires, in order. Throws RangeError on what AWS refuses. */
export function fireTimes({ schedule, timezone }: Clockwork, fromMs: number, toMs: number) {
  const clock = clockOf(timezone)
  const single = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(schedule)?.[1]
  if (single !== undefined)
    return instantsAt(clock, Date.parse(`${single}Z`)).filter((at) => at >= fromMs && at < toMs)
  const fields = /^cron\((\S+ \S+ \S+ \S+ \S+ \S+)\)$/.exec(schedule)?.[1]?.split(' ')
  if (fields === undefined) throw new RangeError(`AWS takes no schedule \`${schedule}\``)
  const [minute = '', hour = '', day = '', month = '', weekday = '', year = ''] = fields
  if ((day === '?') === (weekday === '?'))
    throw new RangeError(`\`${schedule}\`: exactly one of day and weekday has to be \`?\``)
  const minutes = values(minute, 0, 59)
  const hours = values(hour, 0, 23)
  const days = values(day, 1, 31)
  const months = values(month, 1, 12, MONTHS)
  const weekdays = values(weekday, 1, 7, WEEKDAYS)
  const years = values(year, 1970, 2199)
  const found: number[] = []
  // A zone is at most 14 hours from UTC, so two days more on each side hold every local date.
  for (let date = Math.floor(fromMs / DAY_MS) - 2; date <= toMs / DAY_MS + 2; date++) {
    const local = new Date(date * DAY_MS)
    if (
      !years.has(local.getUTCFullYear()) ||
      !months.has(local.getUTCMonth() + 1) ||
      !days.has(local.getUTCDate()) ||
      !weekdays.has(local.getUTCDay() + 1)
    )
      continue
    for (const h of hours)
      for (const m of minutes)
        for (const at of instantsAt(clock, date * DAY_MS + (h * 60 + m) * MINUTE_MS))
          if (at >= fromMs && at < toMs) found.push(at)
  }
  return found.sort((a, b) => a - b)
}

const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')
const WEEKDAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ')

/** The numbers that a field of lists, ranges, steps and names stands for. */
function values(field: string, least: number, most: number, names: readonly string[] = []) {
  const number = (text: string): number => {
    const named = names.indexOf(text)
    const value = named >= 0 ? named + 1 : /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= least && value <= most)) throw new RangeError(`AWS takes no \`${text}\` there`)
    return value
  }
  const found = new Set<number>()
  for (const part of field.split(',')) {
    const [span = '', step = '1'] = part.split('/')
    const [first = '', last] = span === '*' || span === '?' ? [] : span.split('-')
    const from = first === '' ? least : number(first)
    const to =
      first === '' ? most : last === undefined ? (part.includes('/') ? most : from) : number(last)
    if (to < from) throw new RangeError(`\`${part}\` runs backwards`)
    for (let value = from; value <= to; value += Number(step)) found.add(value)
  }
  return found
}

/** What has to be added to UTC (ms) to get local time. */
type Clock = (utcMs: number) => number

const clocks = new Map<string, Clock>()

function clockOf(timezone: string): Clock {
  const known = clocks.get(timezone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  const quarters = new Map<number, number>()
  // No zone changes its clocks but at a quarter of an hour.
  const clock = (utcMs: number): number => {
    const quarter = Math.floor(utcMs / (15 * MINUTE_MS))
    let offset = quarters.get(quarter)
    if (offset === undefined) {
      const atMs = quarter * 15 * MINUTE_MS
      const parts = Object.fromEntries(
        format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]),
      )
      const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts
      offset = Date.UTC(year, month - 1, day, hour, minute) - atMs
      quarters.set(quarter, offset)
    }
    return offset
  }
  clocks.set(timezone, clock)
  return clock
}

/** The instants at which a zone's clocks show a local time (as if it were UTC): none in a gap, two in an overlap. */
function instantsAt(clock: Clock, localMs: number): number[] {
  const offsets = new Set([clock(localMs - DAY_MS), clock(localMs + DAY_MS)])
  return [...offsets]
    .map((offset) => localMs - offset)
    .filter((utcMs) => utcMs + clock(utcMs) === localMs)
    .sort((a, b) => a - b)
}
