import { createTask, validateDetailed } from 'node-cron'
import { Temporal } from 'temporal-polyfill'

/**
 * The instants at which a cron expression rings in a zone: its slots, in whole minutes.
 *
 * node-cron decides which days and times match; when the clocks change the rule is ours, because
 * its own differs from zone to zone (it skips what falls into the gap, and rings the first or the
 * second of a repeated hour). An expression for every hour follows real time. One for certain
 * hours rings once: at the end of the gap for what fell into it, and at the first of two.
 */
export type CronSlots = {
  readonly cron: string
  readonly timeZone: string
  /** In order; `afterUtc` is exclusive, `untilUtc` inclusive. Epoch milliseconds. */
  between(afterUtc: number, untilUtc: number): Generator<number>
}

/** Throws CronError with a sentence for the person who wrote it. */
export function readCron(cron: string, timeZone: string): CronSlots {
  const { valid, fields, errors } = validateDetailed(cron)
  if (!valid || fields === undefined)
    throw new CronError(
      `\`${cron}\` is not a cron expression: ${errors.map(({ message }) => message).join('; ')}`,
    )
  if (fields.second.length !== 1 || fields.second[0] !== 0)
    throw new CronError(`\`${cron}\` rings within a minute: slots are whole minutes`)
  // Asked about wall times only, so it never sees a change of the clocks.
  const matcher = createTask(cron, () => {}, { timezone: 'UTC' })
  const everyHour = fields.hour.length === 24
  const times = fields.hour.flatMap((hour) =>
    fields.minute.map((minute) => hour * HOUR_MS + minute * MINUTE_MS),
  )
  const firstTime = times[0] ?? 0

  /** Wall times that match, as if the zone were UTC; `from` inclusive, `to` exclusive. */
  function* wallTimes(from: number, to: number): Generator<number> {
    for (let day = from - modulo(from, DAY_MS); day < to; day += DAY_MS) {
      if (!matcher.match(new Date(day + firstTime))) continue
      for (const time of times) {
        const wall = day + time
        if (wall >= from && wall < to) yield wall
      }
    }
  }

  return {
    cron,
    timeZone,
    *between(afterUtc, untilUtc) {
      const from = afterUtc - modulo(afterUtc, MINUTE_MS) + MINUTE_MS
      for (const part of constantOffsets(timeZone, from, untilUtc + 1)) {
        const { fromUtc, toUtc, offsetMs, before } = part
        const repeatedUntil = before === undefined ? -Infinity : fromUtc + before
        if (!everyHour && before !== undefined && fromUtc >= from && offsetMs > before) {
          const skipped = wallTimes(fromUtc + before, fromUtc + offsetMs).next()
          const rings = wallTimes(fromUtc + offsetMs, fromUtc + offsetMs + MINUTE_MS).next()
          if (skipped.done !== true && rings.done === true) yield fromUtc
        }
        for (const wall of wallTimes(Math.max(fromUtc, from) + offsetMs, toUtc + offsetMs)) {
          if (!everyHour && wall < repeatedUntil) continue
          yield wall - offsetMs
        }
      }
    },
  }
}

export class CronError extends Error {
  override readonly name = 'CronError'
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

type ConstantOffset = {
  readonly fromUtc: number
  readonly toUtc: number
  readonly offsetMs: number
  /** Offset before `fromUtc`, where that is a change of the clocks. */
  readonly before?: number
}

/** Stretches of time in which the zone keeps its distance from UTC; `toUtc` exclusive. */
function* constantOffsets(
  timeZone: string,
  fromUtc: number,
  toUtc: number,
): Generator<ConstantOffset> {
  const at = (utc: number) =>
    Temporal.Instant.fromEpochMilliseconds(utc).toZonedDateTimeISO(timeZone)
  // Begin at the change before, to know which times are repeated.
  const previous = at(fromUtc + 1).getTimeZoneTransition('previous')
  let start = previous?.epochMilliseconds ?? fromUtc
  let before = previous === null || previous === undefined ? undefined : offsetOf(at(start - 1))
  while (start < toUtc) {
    const here = at(start)
    const next = here.getTimeZoneTransition('next')?.epochMilliseconds ?? Infinity
    const end = Math.min(next, toUtc)
    if (end > fromUtc) {
      yield {
        fromUtc: start,
        toUtc: end,
        offsetMs: offsetOf(here),
        ...(before === undefined ? {} : { before }),
      }
    }
    before = offsetOf(here)
    start = end
  }
}

function offsetOf(time: Temporal.ZonedDateTime): number {
  return time.offsetNanoseconds / 1_000_000
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by
}
