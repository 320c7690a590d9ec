import { createHash } from 'node:crypto'
import { overrideInterval } from './awake.ts'
import { instantOf } from './local-time.ts'
import type { Override, Schedule, State } from './schedule.ts'

/** Create-once objects of the state store, in the order in which they were asked for. */
export const OVERRIDES_PREFIX = 'lifecycle/overrides/'

/** `lifecycle wake` or `lifecycle sleep`, as logged: who, when, why, and what for. */
export type LoggedOverride = {
  readonly version: 1
  /** ISO instant. */
  readonly askedAt: string
  readonly resourceId: string
  readonly override: Override
}

export type OverrideRequest = {
  readonly resourceId: string
  readonly state: State
  /** `yyyy-mm-ddTHH:MM` in the schedule's zone, or an instant with `Z` or an offset. */
  readonly until: string
  readonly reason: string
  readonly by: string
}

export type OverrideAnswer =
  | { readonly kind: 'logged'; readonly key: string; readonly logged: LoggedOverride }
  | { readonly kind: 'refused'; readonly problem: string }

const MINUTE_MS = 60_000
const LONGEST_DAYS = 14

/** An override from this minute on, with its key. Bounded: longer exceptions belong into the configuration. */
export function requestOverride(
  request: OverrideRequest,
  timeZone: string,
  nowUtc: number,
): OverrideAnswer {
  const refused = (problem: string): OverrideAnswer => ({ kind: 'refused', problem })
  const { resourceId, state, until, reason, by } = request
  if (reason.trim() === '') return refused('an override needs a reason: --reason "..."')
  if (by.trim() === '') return refused('an override needs the name of who asks: --who <name>')
  const form = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.exec(until)
  const [, date = '', time = '', zone] = form ?? []
  const asUtc = Date.parse(`${until}${zone === undefined ? 'Z' : ''}`)
  if (form === null || Number.isNaN(asUtc) || !realDate(date))
    return refused(
      `\`${until}\` is no time: write 2026-12-05T18:00 (in ${timeZone}) or 2026-12-05T18:00Z`,
    )
  // Throws UnsureTimeError, which says how to put it, where the clocks change then.
  const untilUtc = zone === undefined ? instantOf(timeZone, date, time) : asUtc
  if (untilUtc <= nowUtc) return refused(`\`${until}\` has passed: an override ends in the future`)
  if (untilUtc > nowUtc + LONGEST_DAYS * 24 * 60 * MINUTE_MS)
    return refused(
      `\`${until}\` is more than ${LONGEST_DAYS} days away: put it under \`overrides\` in the configuration`,
    )
  const from = new Date(Math.floor(nowUtc / MINUTE_MS) * MINUTE_MS).toISOString()
  const override: Override = {
    from,
    to: new Date(untilUtc).toISOString(),
    state,
    reason: reason.trim(),
    by: by.trim(),
  }
  const askedAt = new Date(nowUtc).toISOString()
  const logged: LoggedOverride = { version: 1, askedAt, resourceId, override }
  const digest = createHash('sha256').update(JSON.stringify(logged)).digest('hex').slice(0, 12)
  const key = `${OVERRIDES_PREFIX}${askedAt.replaceAll(/[:.]/g, '-')}-${digest}.json`
  return { kind: 'logged', key, logged }
}

function realDate(date: string): boolean {
  const parsed = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date)
}

/**
 * The schedule with what was logged for a service on top of the configuration's overrides. A later
 * one beats an earlier one where the two meet; what is left of the earlier one stays.
 */
export function withLogged(
  schedule: Schedule,
  resourceId: string,
  logged: readonly LoggedOverride[],
): Schedule {
  const inOrder = logged
    .filter((one) => one.resourceId === resourceId)
    .toSorted((a, b) => (a.askedAt < b.askedAt ? -1 : 1))
  let overrides = schedule.overrides
  for (const { override } of inOrder)
    overrides = [
      ...overrides.flatMap((earlier) => around(earlier, override, schedule.timeZone)),
      override,
    ]
  return { ...schedule, overrides }
}

function around(earlier: Override, later: Override, timeZone: string): Override[] {
  const old = overrideInterval(earlier, timeZone)
  const young = overrideInterval(later, timeZone)
  if (young.toUtc <= old.fromUtc || old.toUtc <= young.fromUtc) return [earlier]
  const { expires: _, ...unbounded } = earlier
  const rest: Override[] = []
  if (old.fromUtc < young.fromUtc)
    rest.push({ ...unbounded, from: iso(old.fromUtc), to: later.from })
  if (young.toUtc < old.toUtc) rest.push({ ...unbounded, from: later.to, to: iso(old.toUtc) })
  return rest
}

function iso(instantUtc: number): string {
  return new Date(instantUtc).toISOString()
}

/** Throws on anything that is not such a record. */
export function parseLogged(json: string): LoggedOverride {
  const record = JSON.parse(json) as Partial<LoggedOverride> | null
  const texts = [record?.askedAt, record?.resourceId, record?.override?.from, record?.override?.to]
  if (record?.version !== 1 || !texts.every((text) => typeof text === 'string'))
    throw new Error('not a record of an override')
  return record as LoggedOverride
}
