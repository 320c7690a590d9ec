/**
 * What spreads work over threads or over tasks. A queue is a hint: it may lose, repeat and
 * reorder messages, because the state says what is left to do. Messages carry references only.
 */
export interface Queue {
  /** For messages to operators, without credentials. */
  readonly address: string

  /** Whether messages are still there after this process has ended. */
  readonly outlivesProcess: boolean

  /** Put messages in. Throws QueueError when some could not be; sending them again is harmless. */
  send(messages: readonly QueueMessage[]): Promise<void>

  /**
   * Handle messages, up to `concurrency` at once, until the signal is aborted; resolves when
   * everything in hand has come back.
   *
   * A handler that throws, or whose process dies, has its message delivered again later; after
   * `maxReceives` deliveries, where the queue has a dead-letter queue, it goes there.
   */
  consume(handle: Handler, options: ConsumeOptions): Promise<void>

  /** About how many messages wait and how many are in hand. */
  depth(): Promise<QueueDepth>

  close(): Promise<void>
}

export type QueueMessage = {
  readonly body: string
  /** Who the work is for: queues that can, share themselves out fairly between groups. */
  readonly group: string
}

export type Delivery = {
  readonly body: string
  /** How often this message was given out, this time included. About, on SQS. */
  readonly receives: number
}

/** 'give back': somebody else may have it at once. */
export type Handled = 'done' | 'give back'

export type Handler = (delivery: Delivery) => Promise<Handled>

export type ConsumeOptions = {
  readonly concurrency: number
  readonly signal: AbortSignal
  /** Awaited before every look into the queue: resolves when work may be taken. */
  readonly ready?: () => Promise<void>
  /** Told of everything that went wrong with the queue or in a handler; consuming goes on. */
  readonly onError: (error: Error) => void
}

export type QueueDepth = { readonly waiting: number; readonly inHand: number }

/** The only error that crosses the Queue boundary; the SDK's is its `cause`. */
export class QueueError extends Error {
  override readonly name = 'QueueError'
}
