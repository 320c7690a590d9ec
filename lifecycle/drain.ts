/**
 * How a service closes without losing work: decisions only, no clock and no network.
 *
 *            entered when                                   left for
 * OPEN       a task runs in an open window, first act done  DRAINING (lead time before closing)
 * DRAINING   closing is nearer than the lead time           CLOSED (at closing), OPEN (put off)
 * CLOSED     the window has closed                          ASLEEP (nothing runs or is held),
 *                                                           WAKING (the window opened again)
 * ASLEEP     closed, no task running, nothing held          WAKING (the window opens)
 * WAKING     the window is open                             OPEN (a task runs and has listed the
 *                                                           drop zones), CLOSED (closed again)
 *
 * Every state also leads to CLOSED when the window closes under it: edges can be missed, so the
 * next state follows from levels alone.
 */
export const drainStates = ['OPEN', 'DRAINING', 'CLOSED', 'ASLEEP', 'WAKING'] as const
export type DrainState = (typeof drainStates)[number]

export type DrainLimits = {
  /** How long before closing only work that still fits is taken; the longest usual job. */
  readonly leadMinutes: number
  /** How long work in hand may go on after closing before it is handed back. */
  readonly overtimeMinutes: number
  /** When the last protection is taken before closing: at desired 0 it cannot be renewed. */
  readonly finalProtectionMinutes: number
  /** What protection must outlast the overtime by, so that handing back is protected too. */
  readonly marginMinutes: number
  /** What an ordinary protection is taken for; ECS allows 1 to 2880. */
  readonly protectionMinutes: number
}

export const drainDefaults: DrainLimits = {
  leadMinutes: 30,
  overtimeMinutes: 30, // the decision: closure is hard, with half an hour to finish
  finalProtectionMinutes: 5,
  marginMinutes: 10,
  protectionMinutes: 60,
}

export type DrainFacts = {
  readonly now: Date
  /** Whether the schedule and its overrides say awake now. */
  readonly windowOpen: boolean
  /** When the window that is open now closes; undefined when nothing closes it in the horizon. */
  readonly closesAt: Date | undefined
  readonly runningTasks: number
  readonly heldJobs: number
  /** Whether the drop zones were listed against the intakes since the service last woke. */
  readonly listedSinceWake: boolean
}

export type DrainDecision = { readonly state: DrainState; readonly reason: string }

const MINUTE_MS = 60_000

/** The state that follows from `state` and the levels now, with the reason people see. */
export function nextDrainState(
  state: DrainState,
  facts: DrainFacts,
  limits: DrainLimits = drainDefaults,
): DrainDecision {
  if (!facts.windowOpen) {
    if (facts.runningTasks === 0 && facts.heldJobs === 0) {
      return { state: 'ASLEEP', reason: 'the window is closed and nothing runs or is held' }
    }
    return {
      state: 'CLOSED',
      reason: `the window is closed; ${facts.runningTasks} tasks run and ${facts.heldJobs} jobs are held`,
    }
  }
  const asleep = state === 'ASLEEP' || state === 'CLOSED' || state === 'WAKING'
  if (asleep && (facts.runningTasks === 0 || !facts.listedSinceWake)) {
    return {
      state: 'WAKING',
      reason:
        facts.runningTasks === 0
          ? 'the window is open and no task runs yet'
          : 'a task runs and has not listed the drop zones yet',
    }
  }
  if (facts.closesAt !== undefined && facts.now >= before(facts.closesAt, limits.leadMinutes)) {
    return { state: 'DRAINING', reason: `the window closes at ${facts.closesAt.toISOString()}` }
  }
  return { state: 'OPEN', reason: 'the window is open' }
}

export type TakingFacts = {
  readonly now: Date
  readonly drain: DrainState
  readonly closesAt: Date | undefined
  /** How long the next piece of work may last. */
  readonly expectedMinutes: number
  /** SIGTERM or a Spot notice was seen. */
  readonly terminating: boolean
}

export type TakingDecision =
  | { readonly kind: 'take'; readonly protectMinutes: number }
  | { readonly kind: 'leave'; readonly reason: string }

/**
 * Whether a task may take work now, and how long it must be protected before it does. The
 * caller protects first and leaves the work when that is refused.
 */
export function decideTaking(
  facts: TakingFacts,
  limits: DrainLimits = drainDefaults,
): TakingDecision {
  if (facts.terminating) return { kind: 'leave', reason: 'this task was told to stop' }
  if (facts.drain === 'WAKING') {
    return { kind: 'leave', reason: 'waking: the drop zones are listed first' }
  }
  if (facts.drain === 'CLOSED' || facts.drain === 'ASLEEP') {
    return { kind: 'leave', reason: 'the window is closed' }
  }
  const endOfOvertime =
    facts.closesAt === undefined ? undefined : after(facts.closesAt, limits.overtimeMinutes)
  if (
    facts.drain === 'DRAINING' &&
    endOfOvertime !== undefined &&
    after(facts.now, facts.expectedMinutes) > endOfOvertime
  ) {
    return { kind: 'leave', reason: 'the work would not end within the overtime' }
  }
  return { kind: 'take', protectMinutes: protectMinutesAt(facts.now, facts.closesAt, limits) }
}

export type HoldingFacts = {
  readonly now: Date
  readonly windowOpen: boolean
  /** Closing of the open window, or the closing that has passed while work is still in hand. */
  readonly closesAt: Date | undefined
  readonly terminating: boolean
  /** Work left, as far as is known; with SIGTERM it is finished only if it fits the stop time. */
  readonly remainingSeconds: number | undefined
  /** Seconds from now until the task is killed, once it is terminating. */
  readonly stopSecondsLeft: number
  readonly protection:
    | { readonly kind: 'off ECS' }
    | { readonly kind: 'protected'; readonly until: Date }
    | { readonly kind: 'not protected'; readonly why: string }
}

export type HoldingDecision =
  | { readonly kind: 'carry on' }
  | { readonly kind: 'protect'; readonly minutes: number; readonly final: boolean }
  | { readonly kind: 'hand back'; readonly reason: string }

/** What a task with work in hand does now; asked at least once a minute and after each refusal. */
export function decideHolding(
  facts: HoldingFacts,
  limits: DrainLimits = drainDefaults,
): HoldingDecision {
  if (facts.terminating) {
    const fits =
      facts.remainingSeconds !== undefined && facts.remainingSeconds < facts.stopSecondsLeft
    return fits ? { kind: 'carry on' } : { kind: 'hand back', reason: 'this task was told to stop' }
  }
  if (!facts.windowOpen && facts.closesAt !== undefined) {
    if (facts.now >= after(facts.closesAt, limits.overtimeMinutes)) {
      return { kind: 'hand back', reason: 'the overtime after closing is over' }
    }
  }
  if (facts.protection.kind === 'off ECS') return { kind: 'carry on' }
  if (facts.protection.kind === 'not protected') {
    return { kind: 'hand back', reason: `protection was lost: ${facts.protection.why}` }
  }
  const until = facts.protection.until
  if (until <= facts.now) return { kind: 'hand back', reason: 'protection has run out' }
  // Past closing nothing is renewed: desired is 0 and ECS answers DEPLOYMENT_BLOCKED.
  if (!facts.windowOpen) return { kind: 'carry on' }
  const minutes = protectMinutesAt(facts.now, facts.closesAt, limits)
  const finalTime =
    facts.closesAt !== undefined &&
    facts.now >= before(facts.closesAt, limits.finalProtectionMinutes)
  if (finalTime) {
    const enough = after(facts.closesAt, limits.overtimeMinutes + limits.marginMinutes)
    return until >= enough ? { kind: 'carry on' } : { kind: 'protect', minutes, final: true }
  }
  const renewAt = before(until, Math.min(15, limits.protectionMinutes / 2))
  return facts.now >= renewAt ? { kind: 'protect', minutes, final: false } : { kind: 'carry on' }
}

/** Whole minutes of protection to ask for; near closing, enough to outlast it. ECS: 1 to 2880. */
function protectMinutesAt(now: Date, closesAt: Date | undefined, limits: DrainLimits): number {
  if (closesAt === undefined) return limits.protectionMinutes
  const toClosing = (closesAt.getTime() - now.getTime()) / MINUTE_MS
  if (toClosing > limits.protectionMinutes) return limits.protectionMinutes
  const needed = Math.ceil(Math.max(0, toClosing) + limits.overtimeMinutes + limits.marginMinutes)
  return Math.min(2880, Math.max(1, limits.protectionMinutes, needed))
}

function after(instant: Date, minutes: number): Date {
  return new Date(instant.getTime() + minutes * MINUTE_MS)
}

function before(instant: Date, minutes: number): Date {
  return after(instant, -minutes)
}
