import { PAUSE_LASTS_MS } from './pause.ts'
import { hasChanges, type PlannedAction } from './plan.ts'
import type { ServiceCounts, TargetFacts } from './scaling.ts'
import { boundsAt, opensAt, sinceUtc, type Bounds, type ServiceWindows } from './windows.ts'

/** One way in which what is differs from what should be, and what puts it right. */
export type Drift = {
  readonly kind: DriftKind
  /** For people: what is wrong, and what happens about it. */
  readonly sentence: string
  /** Somebody has to look, whatever is healed. */
  readonly alarm: boolean
  readonly heal: Heal
}

export type DriftKind =
  | 'action missing or altered'
  | 'foreign action'
  | 'bounds'
  | 'suspended'
  | 'wanted outside bounds'
  | 'awake though asleep is due'
  | 'asleep though awake is due'
  | 'schedule or calendar changed'

export type Heal =
  | { readonly kind: 'nothing' }
  /** Put the actions and the windows as the configuration says. */
  | { readonly kind: 'apply' }
  /** Set these bounds now; clamps the running capacity, and ends a pause where `resume`. */
  | { readonly kind: 'register'; readonly bounds: Bounds; readonly resume: boolean }

/** One service as it is, and as it should be. */
export type LevelFacts = {
  readonly nowUtc: number
  readonly plan: readonly PlannedAction[]
  readonly wanted: ServiceWindows
  /** What `windows.json` says; undefined before the first apply. */
  readonly applied: ServiceWindows | undefined
  readonly target: TargetFacts
  readonly service: ServiceCounts
  /** When a person's pause was first seen; undefined while there is none. */
  readonly pausedSinceUtc: number | undefined
}

const MINUTE_MS = 60_000
/** From the opening until a task has to run: image pull and start take two to four. */
const WAKE_BUDGET_MS = 10 * MINUTE_MS
/** From the closing until nothing may run: overtime, handing back, and the stop timeout. */
const SLEEP_BUDGET_MS = 45 * MINUTE_MS

/**
 * Compare levels, not edges: a scheduled action that was missed or suspended is never replayed.
 * While a person's pause lasts nothing is healed that it holds up.
 */
export function detectDrift(facts: LevelFacts): readonly Drift[] {
  return [...actionDrift(facts), ...levelDrift(facts)]
}

function actionDrift({ plan, wanted, applied }: LevelFacts): Drift[] {
  const found: Drift[] = []
  if (hasChanges(plan)) {
    const count = plan.filter(({ kind }) => kind !== 'foreign' && kind !== 'no change').length
    found.push({
      kind: 'action missing or altered',
      sentence: `${count} scheduled actions are not as applied: applied again`,
      alarm: false,
      heal: { kind: 'apply' },
    })
  }
  for (const { kind, name, sentence } of plan) {
    if (kind !== 'foreign') continue
    const text = `${name}: ${sentence}`
    found.push({ kind: 'foreign action', sentence: text, alarm: false, heal: { kind: 'nothing' } })
  }
  if (applied !== undefined && JSON.stringify(applied) !== JSON.stringify(wanted))
    found.push({
      kind: 'schedule or calendar changed',
      sentence: 'the schedule or its bank holidays are others than were applied: applied again',
      alarm: false,
      heal: { kind: 'apply' },
    })
  return found
}

function levelDrift(facts: LevelFacts): Drift[] {
  const { nowUtc, wanted, target, service, pausedSinceUtc } = facts
  const bounds = boundsAt(wanted, nowUtc)
  if (target.suspended) {
    const endsUtc = (pausedSinceUtc ?? nowUtc) + PAUSE_LASTS_MS
    const expired = nowUtc >= endsUtc
    return [
      {
        kind: 'suspended',
        sentence: expired
          ? 'the pause of the schedule has lasted five days: ended'
          : `a person has paused the schedule: left alone until ${new Date(endsUtc).toISOString()}`,
        alarm: !expired,
        heal: expired ? { kind: 'register', bounds, resume: true } : { kind: 'nothing' },
      },
    ]
  }
  const found: Drift[] = []
  const register: Heal = { kind: 'register', bounds, resume: false }
  const { desiredTasks, runningTasks } = service
  if (target.minTasks !== bounds.minTasks || target.maxTasks !== bounds.maxTasks)
    found.push({
      kind: 'bounds',
      sentence: `bounds are ${target.minTasks} to ${target.maxTasks}: set to ${bounds.minTasks} to ${bounds.maxTasks}`,
      alarm: false,
      heal: register,
    })
  if (desiredTasks < bounds.minTasks || desiredTasks > bounds.maxTasks)
    found.push({
      kind: 'wanted outside bounds',
      sentence: `ECS wants ${desiredTasks} tasks, the schedule ${bounds.minTasks} to ${bounds.maxTasks}: registered again`,
      alarm: false,
      heal: register,
    })
  const awake = opensAt(wanted, nowUtc) === undefined
  const lastedMs = nowUtc - (sinceUtc(wanted, nowUtc) ?? Number.NEGATIVE_INFINITY)
  if (awake && bounds.minTasks > 0 && runningTasks === 0 && lastedMs >= WAKE_BUDGET_MS)
    found.push({
      kind: 'asleep though awake is due',
      sentence:
        'awake for over 10 minutes and no task runs: registered again; look at the events of the ECS service',
      alarm: true,
      heal: register,
    })
  if (!awake && bounds.maxTasks === 0 && runningTasks > 0 && lastedMs >= SLEEP_BUDGET_MS)
    found.push({
      kind: 'awake though asleep is due',
      sentence: `closed for over 45 minutes and ${runningTasks} tasks run: a protected task at work, or a deployment that hangs. Not stopped`,
      alarm: true,
      heal: desiredTasks > 0 ? register : { kind: 'nothing' },
    })
  return found
}

/** What to call, each once: bounds come last, so that an apply cannot be followed by old ones. */
export function healsOf(drifts: readonly Drift[]): readonly Heal[] {
  const heals = drifts.map(({ heal }) => heal)
  const last = heals.findLast(({ kind }) => kind === 'register')
  const applies = heals.find(({ kind }) => kind === 'apply')
  return [applies, last].filter((heal) => heal !== undefined)
}
