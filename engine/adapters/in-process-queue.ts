import { setTimeout as delay } from 'node:timers/promises'
import type { ConsumeOptions, Delivery, Handled, Handler, Queue, QueueMessage } from './queue.ts'

export type InProcessQueueOptions = {
  /** Deliveries after which a message is given to `dead`. */
  readonly maxReceives: number
  /** How long a message rests after its handler threw. */
  readonly retryDelayMs: number
  readonly dead?: Queue
}

type Waiting = QueueMessage & { readonly receives: number }

/** The embedded default: a queue that lives and dies with its process. First come, first served. */
export function createInProcessQueue(options: InProcessQueueOptions): Queue {
  const waiting: Waiting[] = []
  const sleepers = new Set<() => void>()
  let inHand = 0

  const wake = () => {
    for (const one of sleepers) one()
    sleepers.clear()
  }

  async function consumeOne(handle: Handler, consuming: ConsumeOptions): Promise<void> {
    const { signal } = consuming
    while (!signal.aborted) {
      await consuming.ready?.()
      if (signal.aborted) return
      const message = waiting.shift()
      if (message === undefined) {
        await new Promise<void>((resolve) => sleepers.add(resolve))
        continue
      }
      inHand++
      try {
        await deliver(message, handle, consuming)
      } finally {
        inHand--
      }
    }
  }

  async function deliver(
    message: Waiting,
    handle: Handler,
    { onError, signal }: ConsumeOptions,
  ): Promise<void> {
    const receives = message.receives + 1
    const delivery: Delivery = { body: message.body, receives }
    let handled: Handled | undefined
    try {
      handled = await handle(delivery)
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)))
    }
    if (handled === 'done') return
    if (handled === 'give back') {
      // It was not tried, so it counts as not delivered; others come first.
      waiting.push(message)
      wake()
      return
    }
    if (receives >= options.maxReceives && options.dead !== undefined) {
      await options.dead.send([message])
      return
    }
    const comesBack = () => {
      waiting.push({ ...message, receives })
      wake()
    }
    void delay(options.retryDelayMs, undefined, { signal }).then(comesBack, comesBack)
  }

  return {
    address: 'in this process',
    outlivesProcess: false,
    send(messages) {
      for (const message of messages) waiting.push({ ...message, receives: 0 })
      wake()
      return Promise.resolve()
    },
    async consume(handle, consuming) {
      consuming.signal.addEventListener('abort', wake, { once: true })
      await Promise.all(
        Array.from({ length: consuming.concurrency }, () => consumeOne(handle, consuming)),
      )
      consuming.signal.removeEventListener('abort', wake)
    },
    depth: () => Promise.resolve({ waiting: waiting.length, inHand }),
    close: () => Promise.resolve(),
  }
}
