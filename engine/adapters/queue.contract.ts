import assert from 'node:assert/strict'
import { suite } from 'uvu'
import type { Delivery, Handled, Queue } from './queue.ts'

export type QueuesUnderTest = {
  readonly queue: Queue
  /** Where `queue` puts what was delivered `maxReceives` times. */
  readonly dead: Queue
  readonly maxReceives: number
  close(): Promise<void>
}

/** What every Queue promises. `make` gives an empty one for each test; `end` is called after the last. */
export function describeQueueContract(
  name: string,
  make: () => Promise<QueuesUnderTest>,
  end?: () => unknown,
): void {
  const test = suite(`queue contract: ${name}`)
  const opened: QueuesUnderTest[] = []
  const open = async () => {
    const one = await make()
    opened.push(one)
    return one
  }
  test.after(async () => {
    for (const one of opened) await one.close()
    await end?.()
  })

  test('what is sent is delivered, whatever its characters', async () => {
    const { queue } = await open()
    const bodies = Array.from({ length: 25 }, (_, i) => JSON.stringify({ i, name: 'Zoë \n"' }))
    await queue.send(bodies.map((body) => ({ body, group: 'Zoë / odd group' })))
    assert.deepEqual((await consumed(queue, bodies.length)).map(bodyOf).sort(), [...bodies].sort())
    assert.deepEqual(await queue.depth(), { waiting: 0, inHand: 0 })
  })

  test('as many are handled at once as asked for', async () => {
    const { queue } = await open()
    await queue.send(['1', '2', '3'].map((body) => ({ body, group: 'g' })))
    let together = 0
    let most = 0
    let meet = () => {}
    const met = new Promise<void>((resolve) => (meet = resolve))
    await consumed(queue, 3, async () => {
      most = Math.max(most, ++together)
      if (together === 3) meet()
      await met
      together--
      return 'done'
    })
    assert.equal(most, 3)
  })

  test('a message given back comes again at once', async () => {
    const { queue } = await open()
    await queue.send([{ body: 'mine', group: 'g' }])
    let times = 0
    const seen = await consumed(queue, 2, () =>
      Promise.resolve(++times === 1 ? 'give back' : 'done'),
    )
    assert.deepEqual(seen.map(bodyOf), ['mine', 'mine'])
  })

  test('a handler that fails is told about and its message comes again', async () => {
    const { queue } = await open()
    await queue.send([{ body: 'hard', group: 'g' }])
    const errors: string[] = []
    const seen = await consumed(
      queue,
      2,
      (delivery) =>
        delivery.receives === 1 ? Promise.reject(new Error('no luck')) : Promise.resolve('done'),
      errors,
    )
    assert.deepEqual(
      seen.map(({ receives }) => receives),
      [1, 2],
    )
    assert.match(errors.join(), /no luck/)
  })

  test('a message that fails every time ends in the dead-letter queue, with its text', async () => {
    const { queue, dead, maxReceives } = await open()
    await queue.send([{ body: 'poison', group: 'g' }])
    const stop = new AbortController()
    const alive = queue.consume(() => Promise.reject(new Error('again')), {
      concurrency: 1,
      signal: stop.signal,
      onError: () => {},
    })
    const [letter] = await consumed(dead, 1)
    stop.abort()
    await alive
    assert.equal(letter?.body, 'poison')
    assert.ok(maxReceives > 1)
  })

  test('after the signal nothing new is handled, and what is in hand comes back first', async () => {
    const { queue } = await open()
    await queue.send(['1', '2', '3', '4'].map((body) => ({ body, group: 'g' })))
    const stop = new AbortController()
    let ended = 0
    await queue.consume(
      async () => {
        stop.abort()
        await new Promise((resolve) => setImmediate(resolve))
        ended++
        return 'done'
      },
      { concurrency: 1, signal: stop.signal, onError: () => {} },
    )
    assert.equal(ended, 1)
    assert.equal((await consumed(queue, 3)).length, 3)
  })

  test('nothing is taken before it may be', async () => {
    const { queue } = await open()
    await queue.send([{ body: 'later', group: 'g' }])
    let open_ = () => {}
    const opens = new Promise<void>((resolve) => (open_ = resolve))
    const stop = new AbortController()
    let handledEarly = false
    let opened_ = false
    const consuming = queue.consume(
      () => {
        handledEarly = !opened_
        stop.abort()
        return Promise.resolve('done')
      },
      { concurrency: 1, signal: stop.signal, ready: () => opens, onError: () => {} },
    )
    assert.equal((await queue.depth()).waiting, 1)
    opened_ = true
    open_()
    await consuming
    assert.equal(handledEarly, false)
  })

  test.run()
}

/** Deliveries until there were `count`, then the queue is let go of. */
async function consumed(
  queue: Queue,
  count: number,
  handle: (delivery: Delivery) => Promise<Handled> = () => Promise.resolve('done'),
  errors: string[] = [],
): Promise<Delivery[]> {
  const seen: Delivery[] = []
  const stop = new AbortController()
  let open = 0
  await queue.consume(
    async (delivery) => {
      seen.push(delivery)
      open++
      try {
        return await handle(delivery)
      } finally {
        if (--open === 0 && seen.length >= count) stop.abort()
      }
    },
    { concurrency: 3, signal: stop.signal, onError: ({ message }) => errors.push(message) },
  )
  return seen
}

function bodyOf({ body }: Delivery): string {
  return body
}
