import { Temporal } from 'temporal-polyfill'

/** A wall time that its zone does not have, or has twice, on that date. */
export class UnsureTimeError extends Error {
  readonly reason: 'gap' | 'overlap'
  readonly local: string
  readonly timeZone: string

  constructor(reason: 'gap' | 'overlap', local: string, timeZone: string) {
    const fault = reason === 'gap' ? 'does not exist' : 'happens twice'
    super(`${local} ${fault} in ${timeZone}: the clocks change then. Choose another time.`)
    this.name = 'UnsureTimeError'
    this.reason = reason
    this.local = local
    this.timeZone = timeZone
  }
}

/** An instant as the clocks of a zone show it. */
export type WallTime = {
  /** `yyyy-mm-dd`. */
  readonly date: string
  /** `HH:MM`. */
  readonly time: string
}

export function wallTime(timeZone: string, instantUtc: number): WallTime {
  const local = Temporal.Instant.fromEpochMilliseconds(instantUtc)
    .toZonedDateTimeISO(timeZone)
    .toPlainDateTime()
    .toString({ smallestUnit: 'minute' })
  return { date: local.slice(0, 10), time: local.slice(11) }
}

/** The instant of a wall time (`24:00` is the next midnight). Throws UnsureTimeError where it is not exactly one. */
export function instantOf(timeZone: string, date: string, time: string): number {
  if (time === '24:00') return instantOf(timeZone, nextDate(date), '00:00')
  const local = `${date}T${time}`
  const plain = Temporal.PlainDateTime.from(local)
  const earlier = plain.toZonedDateTime(timeZone, { disambiguation: 'earlier' })
  const later = plain.toZonedDateTime(timeZone, { disambiguation: 'later' })
  if (earlier.epochMilliseconds === later.epochMilliseconds) return earlier.epochMilliseconds
  const exists = earlier.toPlainDateTime().equals(plain)
  throw new UnsureTimeError(exists ? 'overlap' : 'gap', local, timeZone)
}

/** The first instant of a civil day, also where midnight is skipped. */
export function startOfDay(timeZone: string, date: string): number {
  return Temporal.PlainDate.from(date).toZonedDateTime(timeZone).epochMilliseconds
}

export function nextDate(date: string): string {
  return datePlus(date, 1)
}

export function datePlus(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

/** 0 for Monday to 6 for Sunday. */
export function weekdayIndex(date: string): number {
  return (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7
}

export function isTimeZone(name: string): boolean {
  try {
    // Fixed offsets are no IANA names, and AWS takes none.
    if (/^[+-]|^(?:UTC|GMT)[+-]/.test(name)) return false
    Temporal.Now.zonedDateTimeISO(name)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
