import { awakeIntervals, type Holidays } from './awake.ts'
import { intervalAt, type Intervals } from './intervals.ts'
import type { Capacity, Schedule } from './schedule.ts'

/** Key in the state store of what `lifecycle apply` last applied. */
export const WINDOWS_KEY = 'lifecycle/windows.json'

/**
 * When each service should be awake, as `lifecycle apply` and `lifecycle wake` leave it for what
 * runs while the service sleeps. Canonical UTC intervals, overrides included.
 */
export type Windows = {
  readonly version: 1
  readonly services: readonly ServiceWindows[]
}

export type ServiceWindows = {
  /** `service/<cluster>/<service>`. */
  readonly resourceId: string
  readonly awake: Intervals
  /** Nothing is known after it, and not known means awake. */
  readonly horizonUtc: number
  readonly minTasks: number
  readonly maxTasks: number
  /** soft: while asleep a backlog may open it, so the ceiling stays. */
  readonly closure: 'hard' | 'soft'
}

/**
 * What a schedule wants of one service, from the start of this year to the end of the calendar,
 * or of the next year where no calendar decides: the same document on every day of a year.
 */
export function windowsOf(
  resourceId: string,
  schedule: Schedule,
  holidays: Holidays,
  capacity: Capacity,
  nowUtc: number,
): ServiceWindows {
  const year = new Date(nowUtc).getUTCFullYear()
  const usesCalendar = schedule.closedOn !== 'no holidays' && holidays !== undefined
  const horizonUtc = usesCalendar
    ? Date.parse(`${holidays.coversTo}T00:00:00Z`)
    : Date.UTC(year + 2, 0, 1)
  const fromUtc = Math.min(Date.UTC(year, 0, 1), horizonUtc)
  return {
    resourceId,
    awake: awakeIntervals(schedule, holidays, { fromUtc, toUtc: horizonUtc }),
    horizonUtc,
    ...capacity,
    closure: schedule.closure,
  }
}

/** The document with one service's windows replaced or added; the others as they were. */
export function withService(document: Windows | undefined, service: ServiceWindows): Windows {
  const others = (document?.services ?? []).filter(
    ({ resourceId }) => resourceId !== service.resourceId,
  )
  const services = [...others, service].sort((a, b) => (a.resourceId < b.resourceId ? -1 : 1))
  return { version: 1, services }
}

/** The instant at which it opens next; undefined while it is open or where nothing says. */
export function opensAt(windows: ServiceWindows, nowUtc: number): number | undefined {
  if (nowUtc >= windows.horizonUtc) return undefined
  const next = windows.awake.find(({ toUtc }) => toUtc > nowUtc)
  if (next === undefined) return windows.horizonUtc
  return next.fromUtc > nowUtc ? next.fromUtc : undefined
}

/** Since when it has been open, or closed, without a change; undefined before the first change. */
export function sinceUtc(windows: ServiceWindows, nowUtc: number): number | undefined {
  if (nowUtc >= windows.horizonUtc) return windows.horizonUtc
  const open = intervalAt(windows.awake, nowUtc)
  return open?.fromUtc ?? windows.awake.findLast(({ toUtc }) => toUtc <= nowUtc)?.toUtc
}

export type Bounds = { readonly minTasks: number; readonly maxTasks: number }

/** The bounds that belong to an instant, whichever scheduled actions fired or did not. */
export function boundsAt(windows: ServiceWindows, nowUtc: number): Bounds {
  const { minTasks, maxTasks } = windows
  if (opensAt(windows, nowUtc) === undefined) return { minTasks, maxTasks }
  return { minTasks: 0, maxTasks: windows.closure === 'soft' ? maxTasks : 0 }
}

/** Throws on anything that is not such a document. */
export function parseWindows(json: string): Windows {
  const document: unknown = JSON.parse(json)
  if (!isRecord(document) || document['version'] !== 1 || !Array.isArray(document['services']))
    throw new Error(`${WINDOWS_KEY} is not a version 1 document of windows`)
  return { version: 1, services: document['services'].map(parseService) }
}

function parseService(service: unknown): ServiceWindows {
  const fields = isRecord(service) ? service : {}
  const { resourceId, awake, horizonUtc, minTasks, maxTasks, closure } = fields
  if (
    typeof resourceId !== 'string' ||
    !Array.isArray(awake) ||
    !awake.every(isInterval) ||
    typeof horizonUtc !== 'number' ||
    typeof minTasks !== 'number' ||
    typeof maxTasks !== 'number' ||
    (closure !== 'hard' && closure !== 'soft')
  )
    throw new Error(`${WINDOWS_KEY} holds a service that cannot be read`)
  return { resourceId, awake, horizonUtc, minTasks, maxTasks, closure }
}

function isInterval(value: unknown): value is Intervals[number] {
  return (
    isRecord(value) && typeof value['fromUtc'] === 'number' && typeof value['toUtc'] === 'number'
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
