import type { FieldValue } from '../model/source.ts'
import type { ColumnType } from './profile.ts'

/**
 * What a cell says, in the type its column has. Text that is not of that type stays text, so that
 * the schema says so; a value that was no text in its document stays what it was.
 */
export function readCell(cell: FieldValue, type: ColumnType, separator: string): FieldValue {
  if (typeof cell !== 'string') return cell
  if (cell === '') return null
  switch (type) {
    case 'text':
    case 'date':
      return cell
    case 'flag':
      return readFlag(cell)
    case 'integer':
      return readInteger(cell)
    case 'integers':
      return cell.split(separator).map(readInteger)
    case 'list':
      return cell.split(separator)
  }
}

function readFlag(cell: string): boolean | string {
  switch (cell.toLowerCase()) {
    case 'yes':
    case 'true':
      return true
    case 'no':
    case 'false':
      return false
    default:
      return cell
  }
}

function readInteger(text: string): number | string {
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : text
}

/** A value as a cell would show it. */
export function showValue(value: FieldValue): string {
  if (value === null) return ''
  if (Array.isArray(value)) return value.map(showValue).join(';')
  return String(value)
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * A day of the calendar as YYYY-MM-DD. No time zone ever comes near it, and no regular expression:
 * it is asked several times a row.
 */
export function isDate(text: string): boolean {
  if (text.length !== 10 || text[4] !== '-' || text[7] !== '-') return false
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 7)
  const day = digits(text, 8, 10)
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return year >= 0 && day >= 1 && day <= (MONTH_DAYS[month - 1] ?? 0) + (leap ? 1 : 0)
}

function digits(text: string, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}
