import { fireTimes, type Clockwork } from './aws-cron.ts'
import type { Interval } from './intervals.ts'
import type { ScheduledActionSpec } from './schedule.ts'
import { boundsAt, type Bounds, type ServiceWindows } from './windows.ts'
import { SOFT_DELAY_MINUTES } from './compile.ts'

const MINUTE_MS = 60_000

/** What replaying scheduled actions against the wanted windows, minute by minute, comes to. */
export type Replay = {
  readonly minutes: number
  readonly wrongMinutes: number
  /** The first minute at which the bounds are not those wanted. */
  readonly firstWrongUtc?: number
  /** Minutes in which two actions with different bounds fire: which one wins is not defined. */
  readonly clashes: number
  /** Whether the last action to fire leaves the service awake. */
  readonly endsAwake: boolean
}

type Fired = Pick<ScheduledActionSpec, 'schedule' | 'timezone' | 'minCapacity' | 'maxCapacity'>

/**
 * Fire the actions as AWS would, from bounds that are right at `range.fromUtc`, and compare the
 * bounds with the windows in each minute of the range. Soft closure keeps its ceiling at 0 for the
 * first minutes, which is no fault.
 */
export function replay(
  actions: readonly Fired[],
  windows: ServiceWindows,
  range: Interval,
): Replay {
  const fires = actions
    .flatMap((action) =>
      fireTimes(action, range.fromUtc, range.toUtc + MINUTE_MS).map((atUtc) => ({ atUtc, action })),
    )
    .sort((a, b) => a.atUtc - b.atUtc)
  let bounds = boundsAt(windows, range.fromUtc)
  const open = { minTasks: windows.minTasks, maxTasks: windows.maxTasks }
  const closed = { minTasks: 0, maxTasks: windows.closure === 'soft' ? windows.maxTasks : 0 }
  let interval = 0
  let next = 0
  let wrongMinutes = 0
  let clashes = 0
  let firstWrongUtc: number | undefined
  let closedUtc = -Infinity
  for (let nowUtc = range.fromUtc; nowUtc < range.toUtc; nowUtc += MINUTE_MS) {
    const firing: Bounds[] = []
    for (; (fires[next]?.atUtc ?? Infinity) <= nowUtc; next++) {
      const action = fires[next]?.action
      if (action !== undefined)
        firing.push({ minTasks: action.minCapacity, maxTasks: action.maxCapacity })
    }
    if (firing.some((one) => !same(one, firing[0]))) clashes++
    bounds = firing.at(-1) ?? bounds
    while ((windows.awake[interval]?.toUtc ?? Infinity) <= nowUtc) interval++
    const isOpen =
      nowUtc >= windows.horizonUtc || (windows.awake[interval]?.fromUtc ?? Infinity) <= nowUtc
    if (isOpen) closedUtc = nowUtc + MINUTE_MS
    const softening = nowUtc - closedUtc < SOFT_DELAY_MINUTES * MINUTE_MS
    if (same(bounds, isOpen ? open : closed)) continue
    if (!isOpen && softening && same(bounds, { minTasks: 0, maxTasks: 0 })) continue
    wrongMinutes++
    firstWrongUtc ??= nowUtc
  }
  const last = fires.at(-1)?.action
  return {
    minutes: (range.toUtc - range.fromUtc) / MINUTE_MS,
    wrongMinutes,
    ...(firstWrongUtc === undefined ? {} : { firstWrongUtc }),
    clashes,
    endsAwake: last === undefined ? bounds.minTasks > 0 : last.minCapacity > 0,
  }
}

/** Which action fired last, up to and including an instant; undefined where none has since `sinceUtc`. */
export function firedLast<Action extends Clockwork>(
  actions: readonly Action[],
  atUtc: number,
  sinceUtc: number,
): { readonly action: Action; readonly atUtc: number } | undefined {
  const fired = actions.flatMap((action) => {
    const last = fireTimes(action, sinceUtc, atUtc + 1).at(-1)
    return last === undefined ? [] : [{ action, atUtc: last }]
  })
  return fired.sort((a, b) => a.atUtc - b.atUtc).at(-1)
}

function same(a: Bounds | undefined, b: Bounds | undefined): boolean {
  return a?.minTasks === b?.minTasks && a?.maxTasks === b?.maxTasks
}
