import type { Queue, QueueMessage } from '../adapters/queue.ts'
import type { Store } from '../adapters/store.ts'
import { chunkCostSeconds, dispatchOrder, type Chunk } from '../flow/chunk.ts'
import { writeWorkMessage } from './work-message.ts'
import type { OpenAttempt } from './process.ts'
import { queuedKey, queuedPrefix } from './state-layout.ts'

export type DispatchLimits = {
  /** Threads of this task: so many chunks may wait in the queue before nobody adds more. */
  readonly threads: number
  /** Chunks of one consignment that are given out and unfinished, at most. */
  readonly admission: number
  /** After how long at least a chunk given out without a result is given out again. */
  readonly requeueAfterMs: number
}

/**
 * Puts chunks into the queue, a few at a time: a queue that holds little lets the next consignment
 * begin soon. That a chunk was given out is recorded before it is, so no two tasks give it out.
 */
export class Dispatcher {
  readonly #state: Store
  readonly #queue: Queue
  readonly #limits: DispatchLimits
  /** Chunks that this process has given out, by consignment: all that a queue of its own can hold. */
  readonly #given = new Map<string, Set<number>>()

  constructor(state: Store, queue: Queue, limits: DispatchLimits) {
    this.#state = state
    this.#queue = queue
    this.#limits = limits
  }

  /**
   * Every finished chunk brings the next, and one more while nothing waits, so that idle tasks
   * are found within a few chunk times.
   */
  async giveOut(opened: OpenAttempt, done: ReadonlySet<number>): Promise<void> {
    const given = await this.#timesGiven(opened)
    const outstanding = [...given.keys()].filter((chunk) => !done.has(chunk)).length
    const wanted = Math.min(
      this.#limits.admission - outstanding,
      given.size === 0 ? this.#limits.threads + 1 : await this.#room(outstanding),
    )
    const next = dispatchOrder(
      opened.chunks.filter(({ index }) => !given.has(index) && !done.has(index)),
    )
    const messages: QueueMessage[] = []
    for (const chunk of next) {
      if (messages.length >= wanted) break
      if (await this.#claim(opened, chunk, 1)) messages.push(messageFor(opened, chunk, false))
    }
    if (messages.length > 0) await this.#queue.send(messages)
  }

  /**
   * Give out again what was given out so long ago that its message must be lost, or its task
   * dead: twice the longest chunk's time, by the store's clock. Returns how many.
   */
  async giveOutAgain(opened: OpenAttempt, done: ReadonlySet<number>): Promise<number> {
    const { attempt, version } = opened
    const given = await this.#timesGiven(opened)
    const outstanding = opened.chunks.filter(({ index }) => given.has(index) && !done.has(index))
    const longestMs = Math.max(
      0,
      ...outstanding.map(({ count, bytes }) => 1000 * chunkCostSeconds(count, bytes)),
    )
    const patienceMs = Math.max(this.#limits.requeueAfterMs, 2 * longestMs)
    const messages: QueueMessage[] = []
    for (const chunk of outstanding) {
      const times = given.get(chunk.index) ?? 1
      const ours = this.#given.get(attemptKey(opened))?.has(chunk.index) === true
      // A queue that dies with its process has nothing of what others gave out.
      const lost = !this.#queue.outlivesProcess && !ours
      const key = queuedKey(attempt, version, chunk.index, times)
      if (!lost && ((await this.#state.ageMs(key)) ?? 0) < patienceMs) continue
      if (await this.#claim(opened, chunk, times + 1))
        messages.push(messageFor(opened, chunk, true))
    }
    if (messages.length > 0) await this.#queue.send(messages)
    return messages.length
  }

  /** The consignment has its report. */
  forget(opened: OpenAttempt): void {
    this.#given.delete(attemptKey(opened))
  }

  async #claim(opened: OpenAttempt, chunk: Chunk, time: number): Promise<boolean> {
    const { attempt, version } = opened
    const key = queuedKey(attempt, version, chunk.index, time)
    if ((await this.#state.createIfAbsent(key, '{}')) === 'exists') return false
    const ours = this.#given.get(attemptKey(opened)) ?? new Set()
    this.#given.set(attemptKey(opened), ours.add(chunk.index))
    return true
  }

  /** At least one chunk of every consignment is always on its way, or nothing would bring the next. */
  async #room(outstanding: number): Promise<number> {
    const { waiting } = await this.#queue.depth()
    if (waiting === 0) return 2
    if (waiting < this.#limits.threads) return 1
    return outstanding === 0 ? 1 : 0
  }

  /** How often each chunk was given out. */
  async #timesGiven({ attempt, version }: OpenAttempt): Promise<Map<number, number>> {
    const times = new Map<number, number>()
    for await (const { key } of this.#state.list({ prefix: queuedPrefix(attempt, version) })) {
      const [, chunk, number] = /(\d+)\/(\d+)\.json$/.exec(key) ?? []
      if (chunk !== undefined) times.set(Number(chunk), Number(number))
    }
    return times
  }
}

/** One version of one attempt, as a name in memory. */
export function attemptKey({ attempt, version }: Pick<OpenAttempt, 'attempt' | 'version'>): string {
  return `${attempt.reference}/${attempt.number}/${version}`
}

function messageFor(opened: OpenAttempt, chunk: Chunk, again: boolean): QueueMessage {
  const { attempt, version } = opened
  return {
    body: writeWorkMessage({ kind: 'chunk', attempt, version, chunk: chunk.index, again }),
    group: `${attempt.transfer.integrator}/${attempt.reference}`,
  }
}
