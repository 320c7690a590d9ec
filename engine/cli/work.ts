import type { EngineConfig } from '../config.ts'
import { ConfigError } from '../config.ts'
import { createInProcessQueue } from '../adapters/in-process-queue.ts'
import type { Queue } from '../adapters/queue.ts'
import { createSqsQueue } from '../adapters/sqs-queue.ts'
import { readTaskMetadata } from '../adapters/task-metadata.ts'
import { createRunnerGate } from '../../lifecycle/runner-gate.ts'
import { createTaskProtection } from '../../lifecycle/task-protection.ts'
import { Meters } from '../work/meters.ts'
import { asleepWords, neverRings } from '../schedule/asleep-slots.ts'
import { OpeningHours } from '../work/opening-hours.ts'
import { TaskClock } from '../work/task-times.ts'
import { workUntilStopped, type WorkingTask } from '../work/task.ts'
import { WorkLog } from '../work/work-log.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { schedulesAsleep } from './schedules-asleep.ts'
import { loadConfig, openRetrying, withEngine, type Surroundings } from './surroundings.ts'

const MINUTE_MS = 60_000
/** What ECS gives a task to stop when nobody says otherwise. */
const DEFAULT_STOP_SECONDS = 30

/** `wharfinger work`: keep the schedules and check consignments until told to stop. */
export async function work(surroundings: Surroundings, options: CommonOptions): Promise<number> {
  const { env } = surroundings
  const task = await readTaskMetadata(env['ECS_CONTAINER_METADATA_URI_V4'], fetch)
  const config = await loadConfig(surroundings, options.config, task?.processors)
  await runWork(surroundings, config, { taskId: task?.taskId, resourceId: task?.resourceId })
  return exitCodes.sound
}

export type WorkHooks = {
  readonly taskId?: string | undefined
  readonly resourceId?: string | undefined
  /** Called when messages are taken. */
  readonly onOpen?: (task: WorkingTask, meters: Meters) => void
}

/** Open everything that work needs, work until the signal, close it again. */
export async function runWork(
  surroundings: Surroundings,
  config: EngineConfig,
  hooks: WorkHooks,
): Promise<void> {
  if (config.dropZones.length === 0)
    throw new ConfigError([
      'no drop zone is configured: `work` needs `dropZones` in wharfinger.yaml, or WHARFINGER_DROP_ZONES',
    ])
  const { env, now } = surroundings
  const meters = new Meters()
  const log = new WorkLog(
    surroundings.out,
    { service: 'work', ...(hooks.taskId === undefined ? {} : { task: hooks.taskId }) },
    { observe: (event) => meters.observe(event), failed: () => meters.error() },
  )
  const { chunks, deadLetters, doorbell, timing } = config.queue
  const queue: Queue =
    chunks === undefined
      ? createInProcessQueue({ maxReceives: 6, retryDelayMs: timing.retrySeconds * 1000 })
      : createSqsQueue(chunks, timing)
  const more = [deadLetters, doorbell].map((address) =>
    address === undefined ? undefined : createSqsQueue(address, timing),
  )
  const hoursStore = openRetrying(config.state)
  const clock = new TaskClock(hoursStore, hooks.taskId ?? String(process.pid), now)
  const hours = new OpeningHours(hoursStore, hooks.resourceId)
  const gate = createRunnerGate({
    protection: createTaskProtection({ agentUri: env['ECS_AGENT_URI'], fetch, now }),
    windowAt: (instant) => hours.windowAt(instant),
    now,
    log: (line) => log.say(line),
  })
  const zones = new Map(
    config.dropZones.map((zone) => [zone.name, { zone, store: openRetrying(zone.store) }]),
  )
  const reporting = setInterval(() => {
    // One line a minute that CloudWatch turns into metrics; elsewhere it is a line of the log.
    void meters.embedded(now()).then((line) => surroundings.out.write(`${JSON.stringify(line)}\n`))
  }, MINUTE_MS)
  try {
    await hours.refresh()
    const asleep = await schedulesAsleep(config, hoursStore, now())
    const never = asleep.filter(neverRings)
    if (never.length > 0) throw new ConfigError(never.map(asleepWords))
    for (const one of asleep)
      if (one.schedule.missed === 'skip') log.say(asleepWords(one), { schedule: one.schedule.name })
    await clock.begin((error) =>
      log.say('the time of this task could not be noted', { error: String(error) }),
    )
    await withEngine(surroundings, config, async (engine) => {
      log.say('work begins', {
        threads: config.threads,
        zones: [...zones.keys()],
        queue: queue.address,
        state: engine.state.address,
      })
      const [dead, bell] = more
      await workUntilStopped({
        engine,
        zones,
        queue,
        ...(dead === undefined ? {} : { deadLetters: dead }),
        ...(bell === undefined ? {} : { doorbell: bell }),
        gate,
        hours,
        settings: config.queue,
        log,
        stopSeconds: Number(env['WHARFINGER_STOP_SECONDS'] ?? DEFAULT_STOP_SECONDS),
        onLevels: (levels) => meters.levels(levels),
        onOpen: (working) => hooks.onOpen?.(working, meters),
      })
      await clock.end()
      log.say('work ends: everything in hand is finished or handed back')
    })
  } finally {
    clearInterval(reporting)
    await Promise.all([
      queue.close(),
      ...more.map((one) => one?.close()),
      hoursStore.close(),
      ...[...zones.values()].map(({ store }) => store.close()),
    ])
  }
}
