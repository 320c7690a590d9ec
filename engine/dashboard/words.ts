import { wallTime } from '../../lifecycle/local-time.ts'

/** An instant for a page: the zone's wall time to read, UTC to hover, ISO for programs. */
export type When = { readonly text: string; readonly utc: string; readonly iso: string }

const LOCALE = 'en-GB'

export function whenIn(timeZone: string, instant: Date | number | string): When {
  const utc = new Date(instant)
  const { date, time } = wallTime(timeZone, utc.getTime())
  const day = new Date(`${date}T00:00:00Z`).toLocaleDateString(LOCALE, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  })
  return {
    text: `${day.replace(',', '')}, ${time}`,
    utc: `${utc.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    iso: utc.toISOString(),
  }
}

/** `2 days 3 hours`, `14 minutes`: the two largest units. */
export function spanWords(milliseconds: number): string {
  const minutes = Math.max(0, Math.round(milliseconds / 60_000))
  const parts = [
    [Math.floor(minutes / 1440), 'day'],
    [Math.floor((minutes % 1440) / 60), 'hour'],
    [minutes % 60, 'minute'],
  ] as const
  const said = parts
    .filter(([count]) => count > 0)
    .slice(0, 2)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
  return said.length === 0 ? 'less than a minute' : said.join(' ')
}

export function bytesWords(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000
  return unit === 0
    ? `${bytes.toLocaleString(LOCALE)} ${bytes === 1 ? 'byte' : 'bytes'}`
    : `${value.toLocaleString(LOCALE, { maximumFractionDigits: 1 })} ${units[unit] ?? ''}`
}

export function numberWords(value: number): string {
  return value.toLocaleString(LOCALE)
}

export function dollarWords(usd: number): string {
  return `$${usd.toLocaleString(LOCALE, {
    minimumFractionDigits: usd < 100 ? 2 : 0,
    maximumFractionDigits: usd < 100 ? 2 : 0,
  })}`
}

/** The colour of a govuk-frontend tag for each verdict and state. */
export const tagColours: Readonly<Record<string, string>> = {
  READY: 'green',
  'READY WITH WARNINGS': 'green',
  'NEEDS SENDER': 'orange',
  'NEEDS ARCHIVIST': 'yellow',
  'NOT PROCESSED': 'red',
  'in progress': 'blue',
  'to be decided': 'yellow',
  decided: 'grey',
  accepted: 'green',
  returned: 'orange',
  withdrawn: 'grey',
  OPEN: 'green',
  DRAINING: 'yellow',
  ASLEEP: 'grey',
}
