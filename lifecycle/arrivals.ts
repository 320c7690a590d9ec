import { wallTime, weekdayIndex } from './local-time.ts'

/** One consignment that a transferring body completes, and the work that it makes. */
export type Upload = {
  readonly atUtc: number
  readonly sizeBytes: number
  /** Minutes of one task's time. */
  readonly minutes: number
}

const MINUTE_MS = 60_000
/** Where a trace gives only sizes: 100 MB/s, which is what one task reads and hashes. */
const BYTES_A_MINUTE = 6_000_000_000
const DAY_MS = 86_400_000

/** A generator of numbers from 0 to 1 (mulberry32): the same seed, the same course. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/**
 * Made-up uploads: `perWorkday` on a working day, a fifth of it at a weekend; four in five between
 * 08:00 and 18:00 local time. Half take under 8 minutes of work, one in a hundred over an hour.
 */
export function seededArrivals(
  seed: number,
  range: { readonly fromUtc: number; readonly toUtc: number },
  timeZone: string,
  perWorkday = 6,
): readonly Upload[] {
  const random = seeded(seed)
  const uploads: Upload[] = []
  for (let dayUtc = range.fromUtc; dayUtc < range.toUtc; dayUtc += DAY_MS) {
    const isWeekend = weekdayIndex(wallTime(timeZone, dayUtc).date) >= 5
    const count = Math.floor((isWeekend ? 0.2 : 1) * perWorkday * 2 * random() + 0.5)
    for (let i = 0; i < count; i++) {
      const hour = random() < 0.8 ? 8 + 10 * random() : 24 * random()
      const atUtc = dayUtc + Math.floor(hour * 60) * MINUTE_MS
      const minutes = Math.min(240, Math.max(1, Math.round(8 * Math.exp(0.9 * normal(random)))))
      const sizeBytes = Math.round(minutes * BYTES_A_MINUTE * (0.5 + random() / 2))
      if (atUtc < range.toUtc) uploads.push({ atUtc, sizeBytes, minutes })
    }
  }
  return uploads.sort((a, b) => a.atUtc - b.atUtc)
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

export type TraceReading =
  | { readonly kind: 'read'; readonly uploads: readonly Upload[] }
  | { readonly kind: 'refused'; readonly problems: readonly string[] }

/** A trace: `[{"at": "2027-01-04T09:12:00Z", "bytes": 7000000000, "minutes": 12}]`; `bytes` or `minutes` will do. */
export function readTrace(json: unknown): TraceReading {
  if (!Array.isArray(json))
    return { kind: 'refused', problems: ['it has to be a list of uploads, each with `at`'] }
  const problems: string[] = []
  const uploads = json.flatMap((line: unknown, index): Upload[] => {
    const { at, bytes, minutes } = isRecord(line) ? line : {}
    const atUtc = typeof at === 'string' && ZONED.test(at) ? Date.parse(at) : Number.NaN
    if (Number.isNaN(atUtc))
      problems.push(`upload ${index + 1}: \`at\` has to be like 2027-01-04T09:12:00Z`)
    const known = [bytes, minutes].filter((value) => value !== undefined)
    if (known.length === 0 || !known.every(isAmount))
      problems.push(`upload ${index + 1}: \`bytes\` or \`minutes\` has to be a number above 0`)
    const work = isAmount(minutes) ? minutes : isAmount(bytes) ? bytes / BYTES_A_MINUTE : 1
    return [
      {
        // AWS's clockwork knows minutes, and so does the simulation.
        atUtc: Math.floor(atUtc / MINUTE_MS) * MINUTE_MS,
        sizeBytes: isAmount(bytes) ? bytes : work * BYTES_A_MINUTE,
        minutes: Math.ceil(work),
      },
    ]
  })
  if (problems.length > 0) return { kind: 'refused', problems }
  return { kind: 'read', uploads: uploads.sort((a, b) => a.atUtc - b.atUtc) }
}

const ZONED = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
