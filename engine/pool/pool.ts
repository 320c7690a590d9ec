import { Piscina } from 'piscina'
import type { ChunkReply, ChunkTask } from './messages.ts'

/** A worker that ended while it had the chunk: out of memory, or the process it ran was killed. */
export type Crashed = { readonly kind: 'crashed'; readonly message: string }

export type CheckPool = {
  /** Check one chunk on a worker thread; waits its turn, first come first served. Never rejects for a worker's death. */
  check(task: Omit<ChunkTask, 'stopFlag'>): Promise<ChunkReply | Crashed>
  /** Have everything that is being checked come back unfinished; the pool goes on after that. */
  handBack(): Promise<void>
  /** Hand everything back, wait until all of it has come back, then end the threads. */
  stop(): Promise<void>
}

/**
 * The worker threads. Piscina 5.3.2 needs care, and gets it here only: its close() kills running
 * tasks, minThreads 0 can hang for ever, maxQueue is ignored with a signal, atomics 'sync' freezes
 * the sockets of an idle worker.
 */
export function createCheckPool(options: { readonly threads: number }): CheckPool {
  const typescript = import.meta.url.endsWith('.ts')
  const stopFlag = new SharedArrayBuffer(4)
  const pool = new Piscina<ChunkTask, ChunkReply>({
    filename: new URL(typescript ? './worker.ts' : './worker.js', import.meta.url).href,
    minThreads: options.threads,
    maxThreads: options.threads,
    atomics: 'disabled',
    // What a thread needs for a chunk many times over; a chunk that needs more ends its thread, not us.
    resourceLimits: { maxYoungGenerationSizeMb: 12, maxOldGenerationSizeMb: 256 },
    ...(typescript ? { execArgv: ['--import', 'tsx'] } : {}),
  })
  const running = new Set<Promise<unknown>>()
  const waiting: (() => void)[] = []
  let free = options.threads
  let stopped: Promise<void> | undefined

  async function check(task: Omit<ChunkTask, 'stopFlag'>): Promise<ChunkReply | Crashed> {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      if (Atomics.load(new Int32Array(stopFlag), 0) !== 0) return { kind: 'handed back' }
      return await pool.run({ ...task, stopFlag })
    } catch (error) {
      return { kind: 'crashed', message: error instanceof Error ? error.message : String(error) }
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }

  return {
    check(task) {
      const checking = check(task)
      running.add(checking)
      return checking.finally(() => running.delete(checking))
    },
    async handBack() {
      Atomics.store(new Int32Array(stopFlag), 0, 1)
      await Promise.allSettled(running)
      if (stopped === undefined) Atomics.store(new Int32Array(stopFlag), 0, 0)
    },
    stop() {
      Atomics.store(new Int32Array(stopFlag), 0, 1)
      return (stopped ??= Promise.allSettled(running).then(() => pool.destroy()))
    },
  }
}
