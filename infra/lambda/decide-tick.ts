import { PAUSE_LASTS_MS } from '../../lifecycle/pause.ts'
import { boundsAt, opensAt, sinceUtc, type ServiceWindows } from '../../lifecycle/windows.ts'

/** One service as AWS describes it now. */
export type ServiceFacts = {
  readonly minTasks: number
  readonly maxTasks: number
  /** A person has paused the scheduled actions. */
  readonly suspended: boolean
  /** When that was first seen. */
  readonly pausedSinceUtc?: number | undefined
  readonly desiredTasks: number
  readonly runningTasks: number
  readonly nowUtc: number
}

export type TickDecision = {
  readonly shouldBeAwake: boolean
  /** To register, or undefined where the bounds are right or a person has paused them. */
  readonly bounds: { readonly minTasks: number; readonly maxTasks: number } | undefined
  /** The pause is over: nobody ended it in five days. */
  readonly resume?: true
  readonly reason: string
}

/**
 * A schedule's actions are edges: one that is missed is never replayed. This compares levels
 * instead. Without windows (nothing was ever applied) the bounds themselves say what is wanted.
 *
 * Registering bounds clamps the running capacity, so it is also the second try to wake: it is done
 * again while fewer tasks are wanted by ECS than the floor.
 */
export function decideTick(facts: ServiceFacts, windows: ServiceWindows | undefined): TickDecision {
  const shouldBeAwake =
    windows === undefined ? facts.minTasks > 0 : opensAt(windows, facts.nowUtc) === undefined
  const leave = (reason: string): TickDecision => ({ shouldBeAwake, bounds: undefined, reason })
  if (facts.suspended) {
    const endsUtc = (facts.pausedSinceUtc ?? facts.nowUtc) + PAUSE_LASTS_MS
    if (windows === undefined || facts.nowUtc < endsUtc)
      return leave(
        `a person has suspended the schedule: left alone until ${new Date(endsUtc).toISOString()}`,
      )
    return {
      shouldBeAwake,
      bounds: boundsAt(windows, facts.nowUtc),
      resume: true,
      reason: 'the pause of the schedule has lasted five days: ended',
    }
  }
  if (windows === undefined) return leave('no schedule has been applied yet: only observed')
  const wanted = boundsAt(windows, facts.nowUtc)
  const described = `${shouldBeAwake ? 'open' : 'closed'}, bounds ${facts.minTasks} to ${facts.maxTasks}`
  if (facts.minTasks !== wanted.minTasks || facts.maxTasks !== wanted.maxTasks)
    return {
      shouldBeAwake,
      bounds: wanted,
      reason: `${described}: set to ${wanted.minTasks} to ${wanted.maxTasks}`,
    }
  if (facts.desiredTasks < wanted.minTasks || facts.desiredTasks > wanted.maxTasks)
    return {
      shouldBeAwake,
      bounds: wanted,
      reason: `${described}, but ${facts.desiredTasks} wanted: registered again`,
    }
  if (isOverdue(facts, windows) && wanted.minTasks > 0 && shouldBeAwake)
    return {
      shouldBeAwake,
      bounds: wanted,
      reason: `${described}, and nothing runs 10 minutes after opening: registered once more`,
    }
  return leave(described)
}

const OVERDUE_MS = 10 * 60_000
const TICK_MS = 5 * 60_000

/** True in one tick after each opening: trying again at each would hide that a task cannot start. */
function isOverdue({ nowUtc, runningTasks }: ServiceFacts, windows: ServiceWindows): boolean {
  const openForMs = nowUtc - (sinceUtc(windows, nowUtc) ?? Number.NEGATIVE_INFINITY)
  return runningTasks === 0 && openForMs >= OVERDUE_MS && openForMs < OVERDUE_MS + TICK_MS
}
