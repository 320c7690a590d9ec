import {
  decideHolding,
  decideTaking,
  drainDefaults,
  nextDrainState,
  type DrainDecision,
  type DrainLimits,
  type DrainState,
} from './drain.ts'
import type { Protection, TaskProtection } from './task-protection.ts'

/**
 * What the engine's runner asks around its work. One gate for each process; the order is
 * `beforeTakingWork` -> take -> work -> record -> `afterRecording`, and `tick` each minute.
 */
export interface RunnerGate {
  /** Protects first. 'leave' means: do not take anything now. Each 'take' needs one `afterRecording`. */
  beforeTakingWork(expectedMinutes: number): Promise<Taking>
  /** The work is recorded or handed back. Protection goes when nothing is left in hand. */
  afterRecording(): Promise<void>
  /** Drop-zones were listed after waking: work may be taken. */
  listedDropZones(): void
  /** SIGTERM or a Spot notice, with the seconds until SIGKILL (the task's stop timeout). */
  onTerminate(stopSeconds: number): void
  /** Renew protection, or ask for work to be handed back. Once a minute while awake. */
  tick(progress?: { readonly remainingSeconds: number | undefined }): Promise<GateStatus>
  /** Aborted, with the reason, when what is in hand must be handed back. Replaced after reopening. */
  readonly handBack: AbortSignal
  status(): GateStatus
}

export type Taking = { readonly kind: 'take' } | { readonly kind: 'leave'; readonly reason: string }

export type GateStatus = DrainDecision & {
  readonly held: number
  readonly protection: Protection
}

/** Awake or not at an instant, and when that ends; from the schedule and its overrides. */
export type WindowAt = {
  readonly windowOpen: boolean
  readonly closesAt: Date | undefined
}

export type RunnerGateOptions = {
  readonly protection: TaskProtection
  readonly windowAt: (now: Date) => WindowAt
  readonly now: () => Date
  readonly limits?: DrainLimits
  readonly log?: (line: string) => void
}

export function createRunnerGate(options: RunnerGateOptions): RunnerGate {
  const { protection, windowAt, now, limits = drainDefaults, log = () => {} } = options
  let state: DrainState = 'WAKING'
  let reason = 'starting'
  let held = 0
  let listed = false
  let killedAt: Date | undefined
  let lastClosing: Date | undefined
  let handBack = new AbortController()
  // Serial on purpose: a release that overtakes a protect would leave held work unprotected.
  let turn: Promise<unknown> = Promise.resolve()

  const inTurn = <Value>(act: () => Promise<Value>): Promise<Value> => {
    const next = turn.then(act)
    turn = next.catch(() => undefined) // the caller of `act` gets the error; the queue goes on
    return next
  }

  const observe = (): WindowAt => {
    const window = windowAt(now())
    if (window.windowOpen) lastClosing = window.closesAt
    const decision = nextDrainState(
      state,
      { now: now(), ...window, runningTasks: 1, heldJobs: held, listedSinceWake: listed },
      limits,
    )
    if (decision.state !== state) log(`${state} -> ${decision.state}: ${decision.reason}`)
    if (decision.state === 'CLOSED') listed = false
    state = decision.state
    reason = decision.reason
    return window
  }

  const status = (): GateStatus => ({ state, reason, held, protection: protection.current() })

  const askBack = (why: string) => {
    if (handBack.signal.aborted) return
    log(`handing back ${held} pieces of work: ${why}`)
    handBack.abort(new Error(why))
  }

  return {
    get handBack() {
      return handBack.signal
    },
    status,
    listedDropZones() {
      listed = true
      observe()
    },
    beforeTakingWork: (expectedMinutes) =>
      inTurn(async () => {
        const { closesAt } = observe()
        if (held > 0 && handBack.signal.aborted) {
          return { kind: 'leave', reason: 'work is being handed back' }
        }
        const decision = decideTaking(
          {
            now: now(),
            drain: state,
            closesAt,
            expectedMinutes,
            terminating: killedAt !== undefined,
          },
          limits,
        )
        if (decision.kind === 'leave') return decision
        if (handBack.signal.aborted) handBack = new AbortController()
        const before = protection.current()
        // One call on idle -> busy and none between: the tick renews (calls are throttled).
        const fresh = held > 0 && before.kind === 'protected'
        const answer = fresh ? before : await protection.protect(decision.protectMinutes)
        if (answer.kind === 'not protected') {
          return { kind: 'leave', reason: `not protected: ${answer.why}` }
        }
        // The agent took its time; SIGTERM may have come meanwhile.
        if (killedAt !== undefined) return { kind: 'leave', reason: 'this task was told to stop' }
        held += 1
        return { kind: 'take' }
      }),
    afterRecording: () =>
      inTurn(async () => {
        if (held === 0) throw new Error('afterRecording without work taken')
        held -= 1
        if (held > 0) return
        const released = await protection.release()
        // Safe: an unreleased protection only delays the scale-in until it expires.
        if (released !== 'released') log(`protection not released: ${released.why}`)
      }),
    onTerminate(stopSeconds) {
      killedAt ??= new Date(now().getTime() + stopSeconds * 1000)
    },
    tick: (progress) =>
      inTurn(async () => {
        const { windowOpen } = observe()
        if (held === 0) return status()
        const decide = () =>
          decideHolding(
            {
              now: now(),
              windowOpen,
              closesAt: lastClosing,
              terminating: killedAt !== undefined,
              remainingSeconds: progress?.remainingSeconds,
              stopSecondsLeft:
                killedAt === undefined ? 0 : (killedAt.getTime() - now().getTime()) / 1000 - 5,
              protection: protection.current(),
            },
            limits,
          )
        let decision = decide()
        if (decision.kind === 'protect') {
          const answer = await protection.protect(decision.minutes)
          if (answer.kind === 'not protected') {
            const still = protection.current()
            log(`protection not renewed: ${answer.why}`)
            // A refused final protection cannot be mended after closing, so hand back while
            // what is left of the old one still covers the handing back.
            const short =
              still.kind !== 'protected' ||
              still.until.getTime() - now().getTime() < 5 * 60_000 ||
              decision.final
            if (short) askBack(`protection was not renewed: ${answer.why}`)
          }
          decision = { kind: 'carry on' }
        }
        if (decision.kind === 'hand back') askBack(decision.reason)
        return status()
      }),
  }
}
