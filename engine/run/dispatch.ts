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
 * Put chunks into the queue, a few at a time: a queue that holds little lets the next
 * consignment begin soon. Every finished chunk brings the next, and one more while nothing
 * waits, so that idle tasks are found within a few chunk times.
 */
export async function giveOutChunks(
  state: Store,
  queue: Queue,
  opened: OpenAttempt,
  done: ReadonlySet<number>,
  limits: DispatchLimits,
): Promise<number> {
  const { attempt, version } = opened
  const given = await timesGiven(state, opened)
  const outstanding = [...given.keys()].filter((chunk) => !done.has(chunk)).length
  const wanted = Math.min(
    limits.admission - outstanding,
    given.size === 0 ? limits.threads + 1 : await room(queue, outstanding, limits),
  )
  const next = dispatchOrder(
    opened.chunks.filter(({ index }) => !given.has(index) && !done.has(index)),
  )
  const messages: QueueMessage[] = []
  for (const chunk of next) {
    if (messages.length >= wanted) break
    const key = queuedKey(attempt, version, chunk.index, 1)
    if ((await state.createIfAbsent(key, '{}')) === 'created')
      messages.push(messageFor(opened, chunk, false))
  }
  if (messages.length > 0) await queue.send(messages)
  return messages.length
}

/** At least one chunk of every consignment is always on its way, or nothing would bring the next. */
async function room(queue: Queue, outstanding: number, limits: DispatchLimits): Promise<number> {
  const { waiting } = await queue.depth()
  if (waiting === 0) return 2
  if (waiting < limits.threads) return 1
  return outstanding === 0 ? 1 : 0
}

/**
 * Give out again what was given out so long ago that its message must be lost, or its task dead:
 * twice the longest chunk's time, by the store's clock. A queue that dies with its process has
 * lost everything once it is empty.
 */
export async function giveOutAgain(
  state: Store,
  queue: Queue,
  opened: OpenAttempt,
  done: ReadonlySet<number>,
  limits: DispatchLimits,
): Promise<number> {
  const { attempt, version } = opened
  const given = await timesGiven(state, opened)
  const outstanding = opened.chunks.filter(({ index }) => given.has(index) && !done.has(index))
  const longestMs = Math.max(
    0,
    ...outstanding.map(({ count, bytes }) => 1000 * chunkCostSeconds(count, bytes)),
  )
  const { waiting, inHand } = await queue.depth()
  const lost = !queue.outlivesProcess && waiting + inHand === 0
  const messages: QueueMessage[] = []
  for (const chunk of outstanding) {
    const times = given.get(chunk.index) ?? 1
    const age = await state.ageMs(queuedKey(attempt, version, chunk.index, times))
    if (!lost && (age ?? 0) < Math.max(limits.requeueAfterMs, 2 * longestMs)) continue
    const key = queuedKey(attempt, version, chunk.index, times + 1)
    if ((await state.createIfAbsent(key, '{}')) === 'created')
      messages.push(messageFor(opened, chunk, true))
  }
  if (messages.length > 0) await queue.send(messages)
  return messages.length
}

/** How often each chunk was given out. */
async function timesGiven(
  state: Store,
  { attempt, version }: OpenAttempt,
): Promise<Map<number, number>> {
  const times = new Map<number, number>()
  for await (const { key } of state.list({ prefix: queuedPrefix(attempt, version) })) {
    const [, chunk, number] = /(\d+)\/(\d+)\.json$/.exec(key) ?? []
    if (chunk !== undefined) times.set(Number(chunk), Number(number))
  }
  return times
}

function messageFor(opened: OpenAttempt, chunk: Chunk, again: boolean): QueueMessage {
  const { attempt, version } = opened
  return {
    body: writeWorkMessage({ kind: 'chunk', attempt, version, chunk: chunk.index, again }),
    group: `${attempt.transfer.integrator}/${attempt.reference}`,
  }
}
