import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { startEcsServer } from '../../fixtures/servers/ecs-autoscaling-server.ts'
import { EcsWorld } from '../../fixtures/servers/ecs-world.ts'
import { startS3Server } from '../../fixtures/servers/s3-server.ts'
import { WINDOWS_KEY, type Windows } from '../../lifecycle/windows.ts'

const MONDAY = Date.UTC(2026, 10, 23, 7)
const SATURDAY = Date.UTC(2026, 10, 21, 12)
const RESOURCE = 'service/cluster/work'

const s3 = await startS3Server()
s3.makeBucket('state')
const world = new EcsWorld({ nowMs: SATURDAY, fireTimes: () => [] })
const ecs = await startEcsServer(world)
Object.assign(process.env, {
  AWS_REGION: 'eu-west-2',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_ENDPOINT_URL_ECS: ecs.url,
  AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING: ecs.url,
  AWS_ENDPOINT_URL_S3: s3.endpoint,
  RESOURCE_IDS: RESOURCE,
  STATE_BUCKET: 'state',
})
world.addService('cluster', 'work', 0)
const { ApplicationAutoScalingClient, RegisterScalableTargetCommand } =
  await import('@aws-sdk/client-application-auto-scaling')
const scaling = new ApplicationAutoScalingClient({})
const setBounds = (MinCapacity: number, MaxCapacity: number, suspended = false) =>
  scaling.send(
    new RegisterScalableTargetCommand({
      ServiceNamespace: 'ecs',
      ScalableDimension: 'ecs:service:DesiredCount',
      ResourceId: RESOURCE,
      MinCapacity,
      MaxCapacity,
      SuspendedState: { ScheduledScalingSuspended: suspended },
    }),
  )
const { tick } = await import('./tick.ts')

/** One tick at an instant; the figures it wrote, and whether it registered anything. */
async function tickAt(nowUtc: number) {
  const lines: string[] = []
  const { log } = console
  const before = ecs.calls.length
  console.log = (line: string) => void lines.push(line)
  try {
    await tick(nowUtc)
  } finally {
    console.log = log
  }
  const figures = JSON.parse(lines[0] ?? '') as Record<string, unknown>
  return { figures, registered: ecs.calls.slice(before).includes('RegisterScalableTarget') }
}
const bounds = () => {
  const { min, max } = world.target(RESOURCE)
  return [min, max]
}

const test = suite('the tick against ECS, Application Auto Scaling and S3 servers')

test('before a schedule is applied it looks and changes nothing', async () => {
  await setBounds(0, 4)
  assert.equal((await tickAt(MONDAY)).registered, false)
})

test('a Monday whose opening was missed is opened within one tick, and a second tick writes nothing', async () => {
  const windows: Windows = {
    version: 1,
    services: [
      {
        resourceId: RESOURCE,
        awake: [{ fromUtc: MONDAY, toUtc: MONDAY + 13 * 3_600_000 }],
        horizonUtc: MONDAY + 90 * 86_400_000,
        minTasks: 1,
        maxTasks: 4,
        closure: 'hard',
      },
    ],
  }
  const client = new S3Client({})
  await client.send(
    new PutObjectCommand({ Bucket: 'state', Key: WINDOWS_KEY, Body: JSON.stringify(windows) }),
  )
  client.destroy()
  await setBounds(0, 0)
  assert.equal((await tickAt(SATURDAY)).registered, false)
  world.advanceTo(MONDAY)
  const first = await tickAt(MONDAY)
  assert.equal(first.figures['MissingAwake'], 1)
  assert.deepEqual(bounds(), [1, 4])
  world.advanceTo(MONDAY + 300_000)
  const second = await tickAt(MONDAY + 300_000)
  assert.equal(second.registered, false)
  assert.deepEqual([second.figures['RunningTasks'], second.figures['MissingAwake']], [1, 0])
})

test('a missed closing is closed', async () => {
  world.advanceTo(MONDAY + 14 * 3_600_000)
  const { figures } = await tickAt(MONDAY + 14 * 3_600_000)
  assert.equal(figures['LeftRunning'], 1)
  assert.deepEqual(bounds(), [0, 0])
})

test('a pause that a person set is not undone', async () => {
  await setBounds(0, 0, true)
  const { figures, registered } = await tickAt(MONDAY)
  assert.deepEqual([registered, figures['Suspended']], [false, 1])
  const days = (count: number) => MONDAY + count * 86_400_000
  assert.equal((await tickAt(days(4))).registered, false)
  const forgotten = await tickAt(days(5))
  assert.match(String(forgotten.figures['reason']), /lasted five days: ended/)
  assert.equal(world.target(RESOURCE).suspended.scheduled, false)
  await setBounds(0, 0, true)
  assert.equal((await tickAt(days(6))).registered, false, 'another pause begins anew')
})

test('an answer that cannot be had fails the tick, so that its alarm hears of it', async () => {
  ecs.fault = (operation) =>
    operation === 'DescribeServices'
      ? { kind: 'error', name: 'AccessDeniedException', status: 400 }
      : undefined
  await assert.rejects(tick(MONDAY), AggregateError)
  ecs.fault = () => undefined
})

test.after(async () => {
  scaling.destroy()
  await ecs.close()
  await s3.close()
})

test.run()
