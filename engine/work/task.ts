import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createTask } from 'node-cron'
import type { RunnerGate } from '../../lifecycle/runner-gate.ts'
import type { Delivery, Handled, Queue } from '../adapters/queue.ts'
import type { QueueSettings } from '../queue-config.ts'
import type { Engine } from '../run/process.ts'
import type { SweepSummary } from '../run/admission.ts'
import { createRunner, type Runner, type Zone } from '../run/runner.ts'
import { Keeper } from '../schedule/keeper.ts'
import { SlotLedger } from '../schedule/slot-ledger.ts'
import { ringOf } from './doorbell.ts'
import type { Levels } from './meters.ts'
import type { OpeningHours } from './opening-hours.ts'
import type { WorkLog } from './work-log.ts'

export type TaskOptions = {
  readonly engine: Engine
  readonly zones: ReadonlyMap<string, Zone>
  readonly queue: Queue
  readonly deadLetters?: Queue
  readonly doorbell?: Queue
  readonly gate: RunnerGate
  readonly hours: OpeningHours
  readonly settings: QueueSettings
  readonly log: WorkLog
  /** Seconds from SIGTERM to SIGKILL. */
  readonly stopSeconds: number
  readonly onLevels?: (levels: Levels) => void
  /** Called once work may be taken. */
  readonly onOpen?: (task: WorkingTask) => void
}

/** What others in the same process may ask of a working task. */
export type WorkingTask = {
  readonly runner: Runner
  readonly keeper: Keeper
  sweep(zones: readonly string[]): Promise<SweepSummary>
}

const MINUTE_MS = 60_000
const LOOK_AGAIN_MS = 1_000
/** Deliveries come in bursts; one look at the drop zone serves them all. */
const ROOM_PAUSE_MS = 500

/**
 * Work until the signal is aborted: keep the schedules, take messages while the gate is open,
 * say every minute how things stand. Resolves when everything in hand is finished or handed back.
 */
export async function workUntilStopped(options: TaskOptions): Promise<void> {
  const { engine, gate, log, queue, settings, zones } = options
  const { signal } = engine
  const roomy = new Set<string>()
  const last = new Map<string, SweepSummary>()
  const turn = {
    beatMs: settings.signOfLifeSeconds * 1000,
    staleMs: 3 * settings.signOfLifeSeconds * 1000,
  }
  const runner = createRunner({
    engine,
    zones,
    queue,
    gate,
    limits: {
      threads: engine.config.threads,
      admission: settings.admission,
      requeueAfterMs: settings.requeueMinutes * MINUTE_MS,
      perIntegrator: settings.perIntegrator,
      readmitAfterMs: settings.readmitMinutes * MINUTE_MS,
      turn,
    },
    log: (event) => log.work(event),
    onRoom: (zone) => {
      if (roomy.has(zone)) return
      roomy.add(zone)
      setTimeout(() => {
        roomy.delete(zone)
        if ((last.get(zone)?.waiting ?? 0) > 0) void sweep([zone])
      }, ROOM_PAUSE_MS).unref()
    },
  })
  const sweep = async (names: readonly string[]): Promise<SweepSummary> => {
    const total = { admitted: 0, inHand: 0, waiting: 0, oldestSeconds: 0 }
    for (const name of names) {
      if (signal.aborted) break
      try {
        const one = await runner.sweep(name)
        last.set(name, one)
        total.admitted += one.admitted
        total.inHand += one.inHand
        total.waiting += one.waiting
        total.oldestSeconds = Math.max(total.oldestSeconds, one.oldestSeconds)
      } catch (error) {
        log.problem(error, { doing: 'sweep', zone: name })
      }
    }
    return total
  }
  const keeper = new Keeper({
    state: engine.state,
    ledger: new SlotLedger(engine.state, turn),
    schedules: engine.config.schedules,
    run: async ({ name, zones: wanted }) => {
      log.swept(name, await sweep(wanted ?? [...zones.keys()]))
    },
    now: engine.now,
    random: Math.random,
    wait: (milliseconds) => delay(milliseconds, undefined, { signal }).catch(() => undefined),
    log: (event) => log.schedule(event),
  })
  const bell = createTask('* * * * *', () => keeper.bell(), { timezone: 'UTC', unref: true })

  /** Looks into the queue only while the gate is open, and not at once after it refused. */
  let refusedAt = -Infinity
  const ready = async () => {
    while (!signal.aborted) {
      const { state } = gate.status()
      const rested = performance.now() - refusedAt > LOOK_AGAIN_MS
      if (rested && (state === 'OPEN' || state === 'DRAINING')) return
      await delay(LOOK_AGAIN_MS, undefined, { signal }).catch(() => undefined)
    }
  }
  const within =
    (handle: (delivery: Delivery) => Promise<Handled>) =>
    async (delivery: Delivery): Promise<Handled> => {
      const handled = await log.inRequest(randomUUID(), () => handle(delivery))
      if (handled === 'give back') refusedAt = performance.now()
      return handled
    }
  const consuming = (concurrency: number) => ({
    concurrency,
    signal,
    ready,
    onError: (error: Error) => log.problem(error, { doing: 'queue' }),
  })
  const tick = async () => {
    // A wake or sleep that somebody asked for counts within the minute.
    await options.hours.refresh().catch((error: unknown) => log.problem(error, { doing: 'hours' }))
    const status = await gate.tick()
    if (gate.handBack.aborted) await engine.pool.handBack()
    const { waiting, inHand } = await queue.depth()
    const summaries = [...last.values()]
    options.onLevels?.({
      backlog: waiting,
      inHand,
      transfersWaiting: summaries.reduce((sum, one) => sum + one.waiting, 0),
      oldestSeconds: Math.max(0, ...summaries.map(({ oldestSeconds }) => oldestSeconds)),
      awake: status.state === 'OPEN' || status.state === 'DRAINING',
    })
  }
  const ticking = setInterval(() => {
    tick().catch((error: unknown) => log.problem(error, { doing: 'minute' }))
  }, MINUTE_MS)
  const terminate = () => gate.onTerminate(options.stopSeconds)
  signal.addEventListener('abort', terminate, { once: true })
  try {
    // The first act awake: what landed while everything slept is let in before anything else.
    log.swept('first look', await sweep([...zones.keys()]))
    gate.listedDropZones()
    await tick()
    await bell.start()
    options.onOpen?.({ runner, keeper, sweep })
    await Promise.all([
      // One more than there are threads, so that a thread never waits while a result is written.
      queue.consume(within(runner.handle), consuming(engine.config.threads + 1)),
      options.deadLetters?.consume(within(runner.handleDead), consuming(1)),
      options.doorbell?.consume(async (delivery) => {
        const transfer = ringOf(delivery.body, [...zones.values()])
        if (transfer !== undefined) await sweep([transfer.zone])
        return 'done'
      }, consuming(1)),
      untilAborted(signal),
    ])
  } finally {
    clearInterval(ticking)
    await bell.destroy()
    signal.removeEventListener('abort', terminate)
    await keeper.settled()
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
