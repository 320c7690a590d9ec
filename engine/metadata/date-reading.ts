import { isDate } from './cell-value.ts'

const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]

/**
 * The day that a text names, as YYYY-MM-DD, if it can be read in one way only. `26/03/2014` can;
 * `03/04/2014` is two days, `03/04/14` even more, and a time in a zone may be another day here.
 */
export function readDateOnce(text: string): string | undefined {
  const readings = new Set(possibleReadings(text.trim()).filter(isDate))
  const [only, ...others] = readings
  return others.length === 0 ? only : undefined
}

function possibleReadings(text: string): string[] {
  const yearFirst = /^(\d{4})([-/. ]?)(\d{1,2})\2(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?$/.exec(
    text,
  )
  if (yearFirst !== null) {
    const [, year = '', separator, month = '', day = ''] = yearFirst
    if (separator === '' && text.length !== 8) return []
    return [iso(year, month, day)]
  }
  const yearLast = /^(\d{1,2})([-/. ])(\d{1,2})\2(\d{4})(?: 00:00(?::00)?)?$/.exec(text)
  if (yearLast !== null) {
    const [, first = '', , second = '', year = ''] = yearLast
    return [iso(year, second, first), iso(year, first, second)]
  }
  const dayFirst = /^(\d{1,2})(?:st|nd|rd|th)?[- ]([a-z]+)\.?,?[- ](\d{4})$/i.exec(text)
  if (dayFirst !== null) {
    const [, day = '', month = '', year = ''] = dayFirst
    return [iso(year, monthNumber(month), day)]
  }
  const monthFirst = /^([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})$/i.exec(text)
  if (monthFirst !== null) {
    const [, month = '', day = '', year = ''] = monthFirst
    return [iso(year, monthNumber(month), day)]
  }
  return []
}

function monthNumber(word: string): string {
  const lower = word.toLowerCase()
  const at = lower.length < 3 ? -1 : MONTHS.findIndex((month) => month.startsWith(lower))
  return String(at + 1)
}

function iso(year: string, month: string, day: string): string {
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
}
