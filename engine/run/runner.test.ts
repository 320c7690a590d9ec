import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import { createInProcessQueue } from '../adapters/in-process-queue.ts'
import type { Queue } from '../adapters/queue.ts'
import { createRunnerGate, type RunnerGate } from '../../lifecycle/runner-gate.ts'
import { createTaskProtection } from '../../lifecycle/task-protection.ts'
import { codesOf, comparable, LAB_NOW, makeLab, type Lab } from '../../fixtures/lab.ts'
import type { TransferAddress } from '../model/transfer.ts'
import { createCheckPool } from '../pool/pool.ts'
import { newestReport, requestRecheck } from './decisions.ts'
import { createRunner, type Runner, type WorkEvent } from './runner.ts'
import { writeWorkMessage } from './work-message.ts'

const test = suite('runner')
const pool = createCheckPool({ threads: 2 })
test.after(() => pool.stop())

const LIMITS = {
  threads: 2,
  admission: 64,
  requeueAfterMs: 0,
  perIntegrator: 8,
  readmitAfterMs: 60_000,
  turn: { beatMs: 60_000, staleMs: 180_000 },
}

type Task = { readonly runner: Runner; readonly gate: RunnerGate; readonly events: WorkEvent[] }

function closedGate(): RunnerGate {
  const now = () => LAB_NOW
  const gate = createRunnerGate({
    protection: createTaskProtection({ agentUri: undefined, fetch: globalThis.fetch, now }),
    windowAt: () => ({ windowOpen: true, closesAt: undefined }),
    now,
  })
  return gate
}

function openGate(): RunnerGate {
  const gate = closedGate()
  gate.listedDropZones()
  return gate
}

function makeTask(
  lab: Lab,
  queue: Queue,
  limits: Partial<typeof LIMITS> = {},
  gate: RunnerGate = openGate(),
): Task {
  const events: WorkEvent[] = []
  const runner = createRunner({
    engine: lab.engine,
    zones: new Map([[lab.zone.name, { zone: lab.zone, store: lab.zoneStore }]]),
    queue,
    gate,
    limits: { ...LIMITS, ...limits },
    log: (event) => events.push(event),
  })
  return { runner, gate, events }
}

/** Let tasks work until nothing waits and nothing is in hand. */
async function workUntilIdle(queue: Queue, tasks: readonly Task[], concurrency = 3): Promise<void> {
  const stop = new AbortController()
  const errors: string[] = []
  const consuming = tasks.map(({ runner }) =>
    queue.consume((delivery) => runner.handle(delivery), {
      concurrency,
      signal: stop.signal,
      onError: ({ message }) => errors.push(message),
    }),
  )
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve))
    const { waiting, inHand } = await queue.depth()
    if (waiting + inHand === 0) break
  }
  stop.abort()
  await Promise.all(consuming)
  assert.deepEqual(errors, [])
}

function manyFiles(count: number): Record<string, string> {
  const files: Record<string, string> = {}
  const manifest: string[] = []
  for (let i = 0; i < count; i++) {
    files[`records/file ${i}.txt`] = `record ${i}\n`
    const digest = createHash('sha256').update(`record ${i}\n`).digest('hex')
    // One in fifty is stated wrongly, so that the report has something to say.
    manifest.push(`${i % 50 === 7 ? '0'.repeat(64) : digest}  file ${i}.txt\n`)
  }
  return { ...files, 'metadata/manifest.sha256': manifest.join('') }
}

function emptyQueue(): Queue {
  return createInProcessQueue({ maxReceives: 3, retryDelayMs: 1 })
}

async function reportOf(lab: Lab, reference: string): Promise<unknown> {
  const { delivered } = await newestReport(lab.engine.state, lab.engine.reports, reference)
  return comparable(await lab.report(delivered, 'report.json'))
}

function deliveredBy(tasks: readonly Task[]): string[] {
  return tasks.flatMap(({ events }) =>
    events.flatMap((event) => (event.kind === 'delivered' ? [event.delivered.reference] : [])),
  )
}

const smallChunks = 'chunk: { maxFiles: 10 }'

test('two tasks share the chunks of one consignment and deliver the one report that one process would', async () => {
  const alone = makeLab({ pool, yaml: smallChunks })
  const shared = makeLab({ pool, yaml: smallChunks })
  const expected = await alone.deliver(alone.land('t1', manyFiles(200)))
  shared.land('t1', manyFiles(200))
  const queue = emptyQueue()
  const tasks = [makeTask(shared, queue), makeTask(shared, queue)]
  await tasks[0]?.runner.sweep('lab')
  await workUntilIdle(queue, tasks)
  const [reference, ...more] = deliveredBy(tasks)
  assert.deepEqual(more, [])
  assert.deepEqual(
    await reportOf(shared, reference ?? ''),
    comparable(await alone.report(expected, 'report.json')),
  )
  const chunks = tasks.map(
    ({ events }) => events.filter(({ kind }) => kind === 'chunk checked').length,
  )
  assert.ok(
    chunks.every((count) => count > 0),
    `both tasks worked: ${chunks.join(' and ')}`,
  )
  await Promise.all([alone.close(), shared.close()])
})

test('messages that come twice, late and in any order change nothing', async () => {
  const lab = makeLab({ pool, yaml: smallChunks })
  const transfer = lab.land('t1', manyFiles(60))
  const inner = emptyQueue()
  const sent: string[] = []
  const repeating: Queue = {
    ...inner,
    send: (messages) => {
      sent.push(...messages.map(({ body }) => body))
      return inner.send([...messages, ...messages].reverse())
    },
  }
  const task = makeTask(lab, repeating)
  await task.runner.sweep('lab')
  await workUntilIdle(repeating, [task])
  const before = task.events.length
  // Everything once more, after the report.
  await inner.send(sent.map((body) => ({ body, group: 'late' })))
  await workUntilIdle(inner, [task])
  assert.equal(deliveredBy([task]).length, 1)
  assert.equal(task.events.slice(before).filter(({ kind }) => kind === 'chunk checked').length, 0)
  assert.equal((await lab.process(transfer)).kind, 'delivered')
  await lab.close()
})

test('a queue that loses everything in the middle is refilled by the next sweep', async () => {
  const lab = makeLab({ pool, yaml: smallChunks })
  lab.land('t1', manyFiles(100))
  const first = emptyQueue()
  const task = makeTask(lab, first)
  await task.runner.sweep('lab')
  const stop = new AbortController()
  await first.consume(
    async (delivery) => {
      const handled = await task.runner.handle(delivery)
      if (task.events.filter(({ kind }) => kind === 'chunk checked').length >= 3) stop.abort()
      return handled
    },
    { concurrency: 1, signal: stop.signal, onError: assert.ifError },
  )
  assert.equal(deliveredBy([task]).length, 0)
  const second = emptyQueue()
  const successor = makeTask(lab, second)
  await successor.runner.sweep('lab')
  await workUntilIdle(second, [successor])
  assert.equal(deliveredBy([successor]).length, 1)
  const again = successor.events.filter(({ kind }) => kind === 'given out again')
  assert.equal(again.length, 1)
  await lab.close()
})

test('what was in hand goes on as soon as a task that starts may take work', async () => {
  const lab = makeLab({ pool, yaml: smallChunks })
  lab.land('t1', manyFiles(100))
  const first = makeTask(lab, emptyQueue())
  await first.runner.sweep('lab')
  const body = writeWorkMessage({ kind: 'transfer', transfer: transferOf('t1') })
  await first.runner.handle({ body, receives: 1 }) // sealed, and then this task is gone
  const queue = emptyQueue()
  const gate = closedGate()
  const next = makeTask(lab, queue, {}, gate)
  await next.runner.sweep('lab') // the first look, while nothing may be taken
  gate.listedDropZones()
  await workUntilIdle(queue, [next])
  assert.equal(deliveredBy([next]).length, 1)
  await lab.close()
})

test('a small consignment behind a large one waits two chunk times in the queue at most', async () => {
  const lab = makeLab({ pool, yaml: smallChunks })
  lab.land('a-large', manyFiles(1000))
  const queue = emptyQueue()
  const task = makeTask(lab, queue)
  const consumers = 3
  await task.runner.sweep('lab')
  const stop = new AbortController()
  const checked = () => task.events.filter(({ kind }) => kind === 'chunk checked').length
  /** Chunks of the large one that were finished when the small one was put in, and taken out again. */
  const put: number[] = []
  const taken: number[] = []
  await queue.consume(
    async (delivery) => {
      const small = delivery.body.includes('b-small')
      if (small) taken.push(checked())
      const handled = await task.runner.handle(delivery)
      if (small && put.length < 2) put.push(checked()) // sealed: its chunk is in the queue now
      if (put.length === 0 && checked() > 20) {
        put.push(checked())
        await task.runner.ring(lab.land('b-small', manyFiles(10)))
      }
      if (deliveredBy([task]).length === 2) stop.abort()
      return handled
    },
    { concurrency: consumers, signal: stop.signal, onError: assert.ifError },
  )
  const waits = taken.map((at, i) => at - (put[i] ?? 0))
  assert.equal(waits.length, 2)
  // Each consumer finishes what it has in hand, and a little waits ahead.
  assert.ok(
    waits.every((chunks) => chunks <= 2 * consumers),
    `it waited ${waits.join(' and ')} chunks`,
  )
  await lab.close()
})

test('one integrator with many transfers gets its turn of them, not the whole service', async () => {
  const lab = makeLab({ pool })
  for (let i = 0; i < 5; i++) lab.land(`t${i}`, manyFiles(3))
  const queue = emptyQueue()
  const task = makeTask(lab, queue, { perIntegrator: 2 })
  const { oldestSeconds, ...first } = await task.runner.sweep('lab')
  assert.deepEqual(first, { admitted: 2, inHand: 2, waiting: 3 })
  assert.ok(oldestSeconds >= 0)
  // A second look lets in nothing twice.
  assert.equal((await task.runner.sweep('lab')).admitted, 0)
  await workUntilIdle(queue, [task])
  const { admitted, waiting } = await task.runner.sweep('lab')
  assert.deepEqual({ admitted, waiting }, { admitted: 2, waiting: 1 })
  await lab.close()
})

test('a chunk that no task survives is reported as unchecked, and a recheck reads it', async () => {
  const lab = makeLab({ pool, yaml: smallChunks })
  const transfer = lab.land('t1', { 'records/a.txt': 'a', 'records/b.txt': 'b' })
  const queue = emptyQueue()
  const task = makeTask(lab, queue)
  await task.runner.sweep('lab')
  const stop = new AbortController()
  const letters: string[] = []
  await queue.consume(
    async (delivery) => {
      if (delivery.body.includes('"chunk"')) {
        letters.push(delivery.body) // as if this task had died with it
        stop.abort()
        return 'done'
      }
      return task.runner.handle(delivery)
    },
    { concurrency: 1, signal: stop.signal, onError: assert.ifError },
  )
  assert.equal(await task.runner.handleDead({ body: letters[0] ?? '', receives: 6 }), 'done')
  const [reference = ''] = deliveredBy([task])
  const { delivered } = await newestReport(lab.engine.state, lab.engine.reports, reference)
  assert.equal(delivered.verdict, 'NOT PROCESSED')
  assert.match(await lab.report(delivered, 'report.json'), /given to a checking task 6 times/)
  await requestRecheck(lab.engine.state, lab.engine.reports, reference, {
    everything: false,
    who: 'an operator',
    why: 'more memory now',
    now: LAB_NOW,
  })
  await task.runner.sweep('lab')
  await workUntilIdle(queue, [task])
  const again = await newestReport(lab.engine.state, lab.engine.reports, reference)
  assert.equal(again.delivered.reportVersion, 2)
  assert.deepEqual(codesOf(again.delivered), {})
  assert.equal(again.attempt.transfer.transferId, transfer.transferId)
  await lab.close()
})

test('a task that is told to hand back gives its message to the others and loses nothing', async () => {
  const lab = makeLab({ pool, yaml: smallChunks })
  lab.land('t1', manyFiles(40))
  const queue = emptyQueue()
  const stopping = new AbortController()
  const stopped = makeTask({ ...lab, engine: { ...lab.engine, signal: stopping.signal } }, queue)
  await stopped.runner.sweep('lab')
  stopping.abort()
  const body = writeWorkMessage({ kind: 'transfer', transfer: transferOf('t1') })
  assert.equal(await stopped.runner.handle({ body, receives: 1 }), 'give back')
  const other = makeTask(lab, queue)
  await workUntilIdle(queue, [other])
  assert.equal(deliveredBy([other]).length, 1)
  await lab.close()
})

test('a correction that comes together with what it corrects waits for its report', async () => {
  const lab = makeLab({ pool })
  lab.land('b-first', manyFiles(10))
  lab.land('a-fix', { 'records/file 7.txt': 'record 7, mended\n' }, { corrects: 'b-first' })
  const queue = emptyQueue()
  const task = makeTask(lab, queue)
  for (let sweeps = 0; sweeps < 2; sweeps++) {
    await task.runner.sweep('lab')
    await workUntilIdle(queue, [task])
  }
  const [first, second] = deliveredBy([task])
  assert.equal(first, second, 'one reference, two attempts')
  const { attempt, delivered } = await newestReport(
    lab.engine.state,
    lab.engine.reports,
    first ?? '',
  )
  assert.equal(attempt.number, 2)
  assert.equal(
    delivered.counts.findings.some(({ code }) => code.startsWith('CORRECTION')),
    false,
  )
  await lab.close()
})

test('a message that is not ours is dropped and said', async () => {
  const lab = makeLab({ pool })
  const task = makeTask(lab, emptyQueue())
  for (const body of [
    'garbage',
    '{}',
    '{"kind":"transfer","transfer":{"zone":"lab","integrator":"..","source":"s","transferId":"t"}}',
    writeWorkMessage({ kind: 'transfer', transfer: { ...transferOf('t'), zone: 'elsewhere' } }),
  ]) {
    assert.equal(await task.runner.handle({ body, receives: 1 }), 'done')
  }
  assert.equal(task.events.filter(({ kind }) => kind === 'message dropped').length, 4)
  await lab.close()
})

function transferOf(transferId: string): TransferAddress {
  return { zone: 'lab', integrator: 'office', source: 'networkdrive', transferId }
}

test.run()
