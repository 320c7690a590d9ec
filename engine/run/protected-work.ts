import type { Handled } from '../adapters/queue.ts'
import { stopping } from '../adapters/stopping-store.ts'
import { StoreError } from '../adapters/store.ts'
import type { RunnerGate } from '../../lifecycle/runner-gate.ts'
import type { Engine } from './process.ts'

export type ProtectedWork = {
  /** Minutes of protection to ask for: no longer than the work may take. */
  readonly minutes: number
  readonly onNotTaken: (reason: string) => void
  readonly onHandedBack: () => void
  /** Gets the engine as this piece of work sees it: it stops when the task stops or hands back. */
  readonly work: (engine: Engine) => Promise<Handled>
}

/** Do a piece of work under protection; 'give back' where it may not be begun or not be finished. */
export async function underProtection(
  engine: Engine,
  gate: RunnerGate,
  { minutes, onNotTaken, onHandedBack, work }: ProtectedWork,
): Promise<Handled> {
  const taking = await gate.beforeTakingWork(minutes)
  if (taking.kind === 'leave') {
    onNotTaken(taking.reason)
    return 'give back'
  }
  const signal = AbortSignal.any([engine.signal, gate.handBack])
  try {
    const handled = await work({
      ...engine,
      signal,
      state: stopping(engine.state, signal),
      reports: stopping(engine.reports, signal),
    })
    if (handled === 'give back') onHandedBack()
    return handled
  } catch (error) {
    if (!signal.aborted || !isStopped(error)) throw error
    onHandedBack()
    return 'give back'
  } finally {
    await gate.afterRecording()
  }
}

function isStopped(error: unknown): boolean {
  return error instanceof StoreError && error.reason === 'aborted'
}
