import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling'
import { ECSClient } from '@aws-sdk/client-ecs'
import {
  startEcsServer,
  type ApiFault,
  type EcsServer,
} from '../fixtures/servers/ecs-autoscaling-server.ts'
import { EcsWorld } from '../fixtures/servers/ecs-world.ts'
import { apply } from './apply.ts'
import { reconcile } from './heal.ts'
import { hasChanges, planActions } from './plan.ts'
import { createScaling, ScalingError, type Scaling } from './scaling.ts'
import type { ScheduledActionSpec } from './schedule.ts'
import type { ServiceWindows } from './windows.ts'

const RESOURCE = 'service/cluster/work'
const NOW = Date.UTC(2026, 10, 24, 12)
const DAY_MS = 86_400_000

/** A wake and a sleep on each of some days to come; `version` goes into names and hours. */
function compiled(version: number, days = 3): ScheduledActionSpec[] {
  return Array.from({ length: days }, (_, index) => index + 1).flatMap((day) => {
    const date = new Date(NOW + day * DAY_MS).toISOString().slice(0, 10)
    const common = { timezone: 'UTC' }
    return [
      {
        ...common,
        name: `lc.sleep.${day}.${version}`,
        schedule: `at(${date}T2${version}:00:00)`,
        minCapacity: 0,
        maxCapacity: 0,
        effect: 'sleep' as const,
      },
      {
        ...common,
        name: `lc.wake.${day}.${version}`,
        schedule: `at(${date}T0${version}:00:00)`,
        minCapacity: 1,
        maxCapacity: 4,
        effect: 'wake' as const,
      },
    ]
  })
}

const windows: ServiceWindows = {
  resourceId: RESOURCE,
  awake: [{ fromUtc: NOW + DAY_MS, toUtc: NOW + 2 * DAY_MS }],
  horizonUtc: NOW + 60 * DAY_MS,
  minTasks: 1,
  maxTasks: 4,
  closure: 'hard',
}

function fireTimes({ schedule }: { readonly schedule: string }, fromMs: number, toMs: number) {
  const atMs = Date.parse(`${schedule.slice(3, -1)}Z`)
  return fromMs < atMs && atMs <= toMs ? [atMs] : []
}

type Bench = {
  readonly world: EcsWorld
  readonly server: EcsServer
  readonly scaling: Scaling
  readonly documents: string[]
  readonly document: { read(): Promise<string | undefined>; write(json: string): Promise<void> }
}

async function withServer(use: (bench: Bench) => Promise<void>): Promise<void> {
  const world = new EcsWorld({ nowMs: NOW, fireTimes })
  world.addService('cluster', 'work', 0)
  world.register(RESOURCE, { min: 0, max: 4 })
  const server = await startEcsServer(world)
  const options = {
    region: 'eu-west-2',
    endpoint: server.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  }
  const clients = {
    scaling: new ApplicationAutoScalingClient(options),
    ecs: new ECSClient(options),
  }
  const documents: string[] = []
  try {
    const scaling = await createScaling(RESOURCE, { ...clients, pause: () => Promise.resolve() })
    const document = {
      read: () => Promise.resolve(documents.at(-1)),
      write: (json: string) => Promise.resolve(void documents.push(json)),
    }
    await use({ world, server, scaling, documents, document })
  } finally {
    clients.scaling.destroy()
    clients.ecs.destroy()
    await server.close()
  }
}

/** A document that starts empty. */
function memory() {
  let kept: string | undefined
  return {
    read: () => Promise.resolve(kept),
    write: (json: string) => Promise.resolve(void (kept = json)),
  }
}

const names = (world: EcsWorld) => [...world.target(RESOURCE).actions.keys()].sort()
const writes = (calls: readonly string[]) =>
  calls.filter((call) => !call.startsWith('Describe')).length
const wantedNames = (version: number, days?: number) =>
  compiled(version, days)
    .map(({ name }) => name)
    .sort()

const test = suite('lifecycle apply against an Application Auto Scaling server')

test('what is wanted is there afterwards, zero is sent as zero, and a second apply writes nothing', () =>
  withServer(async ({ world, server, scaling, document, documents }) => {
    await apply(scaling, compiled(1), windows, document, NOW)
    assert.deepEqual(names(world), wantedNames(1))
    const sleep = world.target(RESOURCE).actions.get('lc.sleep.1.1')
    assert.deepEqual([sleep?.min, sleep?.max], [0, 0])
    const before = writes(server.calls)
    const again = await apply(scaling, compiled(1), windows, document, NOW)
    assert.equal(writes(server.calls), before)
    assert.deepEqual([again.windowsWritten, documents.length], [false, 1])
    assert.ok(!server.calls.includes('RegisterScalableTarget'))
  }))

test('actions of others stay, all pages are read, and an action that somebody altered is put right', () =>
  withServer(async ({ world, scaling, document }) => {
    world.putAction(RESOURCE, 'theirs', { schedule: 'at(2027-01-01T00:00:00)', min: 1, max: 1 })
    await apply(scaling, compiled(1, 80), windows, document, NOW)
    assert.equal(names(world).length, 161)
    world.putAction(RESOURCE, 'lc.wake.77.1', { max: 9 })
    const plan = planActions(compiled(1, 80), await scaling.actions(), NOW)
    assert.match(plan.find(({ kind }) => kind === 'update')?.sentence ?? '', /; now 1 to 9 tasks/)
    assert.equal(plan.find(({ kind }) => kind === 'foreign')?.name, 'theirs')
    await apply(scaling, compiled(1, 80), windows, document, NOW)
    assert.equal(world.target(RESOURCE).actions.get('lc.wake.77.1')?.max, 4)
    assert.ok(names(world).includes('theirs'))
  }))

test('an action whose moment has passed is neither wanted nor kept', () => {
  const plan = planActions(compiled(1), [], NOW + 2.5 * DAY_MS)
  assert.deepEqual(
    plan.map(({ name }) => name),
    ['lc.sleep.3.1', 'lc.wake.3.1'],
  )
  const late = planActions(
    [],
    compiled(1, 1).map((one) => ({ ...one, limited: false })),
    NOW + 9 * DAY_MS,
  )
  assert.match(late[0]?.sentence ?? '', /its moment has passed/)
})

test('after a crash at any call there is a wake to come, and the next apply ends the same', async () => {
  let calls = 0
  await withServer(async ({ server, scaling, document }) => {
    await apply(scaling, compiled(1), windows, document, NOW)
    const before = server.calls.length
    await apply(scaling, compiled(2), windows, document, NOW)
    calls = server.calls.length - before
  })
  assert.ok(calls > 12)
  for (let crashAt = 0; crashAt < calls; crashAt++) {
    await withServer(async ({ world, server, scaling, document }) => {
      await apply(scaling, compiled(1), windows, document, NOW)
      const start = server.calls.length
      server.fault = (_, number): ApiFault | undefined => {
        assert.ok(world.nextWakeMs(RESOURCE) !== undefined, `no wake before call ${number}`)
        return number === start + crashAt ? { kind: 'crash' } : undefined
      }
      await assert.rejects(apply(scaling, compiled(2), windows, document, NOW), ScalingError)
      assert.ok(world.nextWakeMs(RESOURCE) !== undefined, `crash at call ${crashAt}`)
      server.revive()
      await apply(scaling, compiled(2), windows, document, NOW)
      assert.deepEqual(names(world), wantedNames(2))
    })
  }
})

test('each call may be throttled, in conflict or failed by AWS several times', () =>
  withServer(async ({ world, server, scaling, document }) => {
    const errors = ['ThrottlingException', 'ConcurrentUpdateException', 'InternalServiceException']
    server.fault = (_, number) => {
      const name = errors[number % 4]
      return name === undefined ? undefined : { kind: 'error', name }
    }
    await apply(scaling, compiled(1), windows, document, NOW)
    assert.deepEqual(names(world), wantedNames(1))
  }))

test('throttling without end is given up with a sentence', () =>
  withServer(async ({ server, scaling, document }) => {
    server.fault = () => ({ kind: 'error', name: 'ThrottlingException' })
    await assert.rejects(apply(scaling, compiled(1), windows, document, NOW), /could not be asked/)
    assert.equal(server.calls.length, 8)
  }))

test('two applies of one schedule at once both end well', () =>
  withServer(async ({ world, scaling, document }) => {
    await apply(scaling, compiled(1), windows, document, NOW)
    const both = [1, 2].map(() => apply(scaling, compiled(2), windows, document, NOW))
    await Promise.all(both)
    assert.deepEqual(names(world), wantedNames(2))
  }))

test('two applies of different schedules at once leave a wake, and one more apply settles it', () =>
  withServer(async ({ world, scaling, document }) => {
    await apply(scaling, compiled(3), windows, document, NOW)
    const ends = await Promise.allSettled(
      [1, 2].map((version) => apply(scaling, compiled(version), windows, document, NOW)),
    )
    for (const end of ends)
      if (end.status === 'rejected') assert.match(String(end.reason), /somebody else/)
    assert.ok(world.nextWakeMs(RESOURCE) !== undefined)
    await apply(scaling, compiled(2), windows, document, NOW)
    assert.deepEqual(names(world), wantedNames(2))
  }))

test('no permission and no service are told apart, at once and without a try more', () =>
  withServer(async ({ world, server, scaling, document }) => {
    server.fault = (operation) =>
      operation === 'PutScheduledAction'
        ? { kind: 'error', name: 'AccessDeniedException' }
        : undefined
    await assert.rejects(
      apply(scaling, compiled(1), windows, document, NOW),
      (error: unknown) => error instanceof ScalingError && error.reason === 'denied',
    )
    assert.equal(writes(server.calls), 1)
    server.fault = () => undefined
    world.targets.clear()
    await assert.rejects(
      apply(scaling, compiled(1), windows, document, NOW),
      /no such service, or it is not registered/,
    )
  }))

test('reconcile puts a missed opening, a removed action and forgotten windows right, then finds nothing', () =>
  withServer(async ({ world, server, scaling, document, documents }) => {
    await apply(scaling, compiled(1), windows, document, NOW)
    world.deleteAction(RESOURCE, 'lc.wake.2.1')
    documents.push(JSON.stringify({ version: 1, services: [{ ...windows, awake: [] }] }))
    world.register(RESOURCE, { min: 0, max: 0 })
    const nowUtc = NOW + DAY_MS + 60_000
    const wanted = { compiled: compiled(1), windows, document, pause: memory() }
    const found = await reconcile(scaling, wanted, nowUtc)
    assert.deepEqual(
      found.map(({ kind }) => kind),
      [
        'action missing or altered',
        'schedule or calendar changed',
        'bounds',
        'wanted outside bounds',
      ],
    )
    assert.deepEqual([world.target(RESOURCE).min, world.target(RESOURCE).max], [1, 4])
    const before = writes(server.calls)
    assert.deepEqual(await reconcile(scaling, wanted, nowUtc), [])
    assert.equal(writes(server.calls), before)
  }))

test('reconcile leaves a pause alone, and ends it when it is forgotten', () =>
  withServer(async ({ world, scaling, document }) => {
    await apply(scaling, compiled(1), windows, document, NOW)
    world.register(RESOURCE, { min: 0, max: 0, suspended: { scheduled: true } })
    const nowUtc = NOW + DAY_MS + 60_000
    const wanted = { compiled: compiled(1), windows, document, pause: memory() }
    await reconcile(scaling, wanted, nowUtc)
    assert.deepEqual(
      [world.target(RESOURCE).suspended.scheduled, world.target(RESOURCE).min],
      [true, 0],
    )
    await reconcile(scaling, wanted, nowUtc + 5 * DAY_MS - 1)
    assert.equal(world.target(RESOURCE).suspended.scheduled, true)
    await reconcile(scaling, wanted, nowUtc + 5 * DAY_MS)
    assert.equal(world.target(RESOURCE).suspended.scheduled, false)
  }))

test('a schedule that never wakes is refused before anything is asked', () =>
  withServer(async ({ server, scaling, document }) => {
    const sleeps = compiled(1).filter(({ effect }) => effect === 'sleep')
    await assert.rejects(apply(scaling, sleeps, windows, document, NOW), /never wakes/)
    assert.equal(server.calls.length, 0)
    assert.equal(hasChanges(planActions([], [], NOW)), false)
  }))

test.run()
