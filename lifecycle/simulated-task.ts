import { nextDrainState, type DrainState } from './drain.ts'
import type { WindowAt } from './runner-gate.ts'
import type { Message } from './simulated-queue.ts'

/** Work in hand: what `beforeTakingWork` led to. */
export type Held = {
  readonly message: Message
  readonly receipt: number
  takenUtc: number
  /** Infinite where the job hangs. */
  endsUtc: number
  /** When the engine gives up on a job that does not end. */
  readonly deadlineUtc: number
}

/** A task as ECS sees it, and the gate that its runner keeps. */
export type SimulatedTask = {
  /** From here Fargate bills. */
  readonly pullStartedUtc: number
  runningUtc: number
  drain: DrainState
  listed: boolean
  lastClosing: Date | undefined
  protectedUntilUtc: number
  held: Held | undefined
  stalledUntilUtc: number
  killAtUtc: number | undefined
  stoppedUtc: number | undefined
}

export function startTask(nowUtc: number, runningUtc: number): SimulatedTask {
  return {
    pullStartedUtc: nowUtc,
    runningUtc,
    drain: 'WAKING',
    listed: false,
    lastClosing: undefined,
    protectedUntilUtc: -Infinity,
    held: undefined,
    stalledUntilUtc: -Infinity,
    killAtUtc: undefined,
    stoppedUtc: undefined,
  }
}

/** What the runner's gate does each minute before anything else. Returns whether its state changed. */
export function observe(task: SimulatedTask, window: WindowAt, nowUtc: number): boolean {
  const before = task.drain
  if (window.windowOpen) task.lastClosing = window.closesAt
  const { state } = nextDrainState(before, {
    now: new Date(nowUtc),
    ...window,
    runningTasks: 1,
    heldJobs: task.held === undefined ? 0 : 1,
    listedSinceWake: task.listed,
  })
  if (state === 'CLOSED') task.listed = false
  task.drain = state
  return state !== before
}
