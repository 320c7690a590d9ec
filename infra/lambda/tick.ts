import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling'
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { noPause, pauseKey, seenPause } from '../../lifecycle/pause.ts'
import { decideTick, type ServiceFacts } from './decide-tick.ts'
import { environment } from './environment.ts'
import { tickMetrics } from './tick-metrics.ts'
import { readObject, readWindows } from './windows.ts'

const ecs = new ECSClient({})
const scaling = new ApplicationAutoScalingClient({})
const s3 = new S3Client({})

const ECS_TASKS = {
  ServiceNamespace: 'ecs',
  ScalableDimension: 'ecs:service:DesiredCount',
} as const

/** Every five minutes, also while all tasks sleep: measure, decide, correct, and say so. */
export async function handler(): Promise<void> {
  await tick(Date.now())
}

export async function tick(nowUtc: number): Promise<void> {
  const resources = environment('RESOURCE_IDS').split(',')
  const windows = await readWindows(s3, environment('STATE_BUCKET'))
  const problems: unknown[] = []
  for (const resourceId of resources) {
    try {
      const measured = await measure(resourceId, nowUtc)
      const pausedSinceUtc = await notePause(resourceId, measured.suspended, nowUtc)
      const facts = { ...measured, pausedSinceUtc }
      const own = windows?.services.find((service) => service.resourceId === resourceId)
      const decision = decideTick(facts, own)
      if (decision.bounds !== undefined) {
        await scaling.send(
          new RegisterScalableTargetCommand({
            ...ECS_TASKS,
            ResourceId: resourceId,
            MinCapacity: decision.bounds.minTasks,
            MaxCapacity: decision.bounds.maxTasks,
            ...(decision.resume === true
              ? { SuspendedState: { ScheduledScalingSuspended: false } }
              : {}),
          }),
        )
      }
      if (decision.resume === true) await writePause(resourceId, noPause)
      await turnFrontDoor(resourceId, facts)
      console.log(JSON.stringify(tickMetrics(resourceId, facts, decision)))
    } catch (error) {
      problems.push(error) // the other service is still to be looked at
    }
  }
  if (problems.length > 0) throw new AggregateError(problems, 'the tick could not be completed')
}

/** Since when a person's pause has been seen, which is written down at the first look. */
async function notePause(resourceId: string, suspended: boolean, nowUtc: number) {
  const json = await readObject(s3, environment('STATE_BUCKET'), pauseKey(resourceId))
  const { pausedSinceUtc, write } = seenPause(json, suspended, nowUtc)
  if (write !== undefined) await writePause(resourceId, write)
  return pausedSinceUtc
}

async function writePause(resourceId: string, json: string): Promise<void> {
  const Bucket = environment('STATE_BUCKET')
  await s3.send(new PutObjectCommand({ Bucket, Key: pauseKey(resourceId), Body: json }))
}

async function measure(resourceId: string, nowUtc: number): Promise<ServiceFacts> {
  const [, cluster = '', service = ''] = resourceId.split('/')
  const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }))
  const { ScalableTargets } = await scaling.send(
    new DescribeScalableTargetsCommand({ ...ECS_TASKS, ResourceIds: [resourceId] }),
  )
  const described = services?.[0]
  const target = ScalableTargets?.[0]
  if (described === undefined || target === undefined)
    throw new Error(`${resourceId} is not there, or not registered for scaling`)
  return {
    minTasks: target.MinCapacity ?? 0,
    maxTasks: target.MaxCapacity ?? 0,
    suspended: target.SuspendedState?.ScheduledScalingSuspended === true,
    desiredTasks: described.desiredCount ?? 0,
    runningTasks: described.runningCount ?? 0,
    nowUtc,
  }
}

/** Without a running `serve`, callers get the answer that says when it opens. */
async function turnFrontDoor(resourceId: string, { runningTasks }: ServiceFacts): Promise<void> {
  if (resourceId !== process.env['SERVE_RESOURCE_ID']) return
  // Loaded here, because an engine without an API never needs it.
  const { ElasticLoadBalancingV2Client, ModifyRuleCommand } =
    await import('@aws-sdk/client-elastic-load-balancing-v2')
  const target = runningTasks > 0 ? 'SERVE_TARGET_GROUP_ARN' : 'ASLEEP_TARGET_GROUP_ARN'
  await new ElasticLoadBalancingV2Client({}).send(
    new ModifyRuleCommand({
      RuleArn: environment('LISTENER_RULE_ARN'),
      Actions: [{ Type: 'forward', TargetGroupArn: environment(target) }],
    }),
  )
}
