import { Piscina } from 'piscina'
import type { ChunkReply, ChunkTask, MetadataReply, MetadataTask } from './messages.ts'

/** A worker that ended while it had the chunk: out of memory, or the process it ran was killed. */
export type Crashed = { readonly kind: 'crashed'; readonly message: string }

export type CheckPool = {
  /** Check one chunk on a worker thread; waits its turn, first come first served. Never rejects for a worker's death. */
  check(task: Omit<ChunkTask, 'stopFlag'>): Promise<ChunkReply | Crashed>
  /** Check one metadata document on a worker thread, in its turn like a chunk. */
  checkMetadata(task: Omit<MetadataTask, 'stopFlag'>): Promise<MetadataReply | Crashed>
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
  const pool = new Piscina<ChunkTask | MetadataTask, ChunkReply | MetadataReply>({
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

  /** One thread's time for one task; a thread that dies of it is an answer too. */
  async function inTurn<Reply>(run: () => Promise<Reply>) {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      if (Atomics.load(new Int32Array(stopFlag), 0) !== 0) return { kind: 'handed back' } as const
      return await run()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return { kind: 'crashed', message } as const
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }

  function watched<Reply>(checking: Promise<Reply>): Promise<Reply> {
    running.add(checking)
    return checking.finally(() => running.delete(checking))
  }

  return {
    check: (task) => watched(inTurn(() => pool.run({ ...task, stopFlag }) as Promise<ChunkReply>)),
    checkMetadata: (task) =>
      watched(
        inTurn(
          () =>
            pool.run({ ...task, stopFlag }, { name: 'checkMetadata' }) as Promise<MetadataReply>,
        ),
      ),
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
