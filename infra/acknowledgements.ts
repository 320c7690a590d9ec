import { Stack, Validations } from 'aws-cdk-lib'
import type { Construct, IConstruct } from 'constructs'
import type { Settings } from './settings.ts'
import type { WharfingerStack } from './wharfinger-stack.ts'

/** Findings of cdk-nag's AWS Solutions pack that stand, each with its reason. */
export function acknowledge(
  stack: WharfingerStack,
  { zones, integrators, ...settings }: Settings,
): void {
  const { buckets, queues, cluster, tick } = stack
  const because = (scope: Construct, reason: string, ...ids: string[]) => {
    for (const id of ids) Validations.of(scope).acknowledge({ id: `AwsSolutions-${id}`, reason })
  }
  const objects = (bucket: IConstruct, keys: string) =>
    `IAM5[Resource::<${logicalId(bucket)}.Arn>/${keys}]`
  const inAccount = (service: string, resource: string) =>
    `IAM5[Resource::arn:<AWS::Partition>:${service}:${stack.region}:<AWS::AccountId>:${resource}]`
  const clusterName = `<${logicalId(cluster)}>`

  because(
    stack,
    'The engine checks any object of a transfer, and names its own state and reports by reference.',
    objects(buckets.dropZone, '*'),
    objects(buckets.state, '*'),
    objects(buckets.reports, '*'),
    objects(buckets.reports, '*/delivered.json'),
    objects(buckets.state, 'lifecycle/pauses/*'),
    ...zones.map(({ name }) => objects(buckets.dropZone, `${name}/*`)),
  )
  because(
    stack,
    'A sender names its own transfers and files, below its own prefix.',
    ...integrators.map(({ zone, name }) => objects(buckets.dropZone, `${zone}/${name}/*`)),
    ...integrators.map(({ name }) => objects(buckets.reports, `${name}/*`)),
  )
  because(
    stack,
    'Task ids come and go; only tasks and services of this cluster are meant.',
    inAccount('ecs', `task/${clusterName}/*`),
    inAccount('ecs', `service/${clusterName}/*`),
  )
  because(
    stack,
    'A scalable target has an id of its own that is known only once it is registered.',
    inAccount('application-autoscaling', 'scalable-target/*'),
  )
  because(
    stack,
    'Describe actions of Application Auto Scaling and the token of ECR know no resources.',
    'IAM5[Resource::*]',
  )
  because(
    stack,
    'The scheduler invokes any version of this one function.',
    `IAM5[Resource::<${logicalId(tick.lambda.fn)}.Arn>:*]`,
  )
  because(
    stack,
    'The variables are addresses of buckets and queues: tasks take credentials from their role.',
    'ECS2',
  )
  because(
    stack,
    'Container Insights costs while nothing runs; the tick measures what the alarms need.',
    'ECS4',
  )
  because(buckets.logs, 'The logs of the log bucket would be logs about writing logs.', 'S1')
  because(
    queues.deadLetters.announcements,
    'It is a dead-letter queue, of a function and rules instead of a queue.',
    'SQS3',
  )
  if (settings.malwareScan)
    because(
      stack,
      "GuardDuty's user guide asks for this name; the rules are managed by GuardDuty only.",
      inAccount('events', 'rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*'),
    )
}

function logicalId(construct: IConstruct): string {
  const resource = construct.node.defaultChild
  if (resource === undefined || !('logicalId' in resource)) throw new Error('bug: not a resource')
  return String(Stack.of(construct).resolve(resource.logicalId))
}
