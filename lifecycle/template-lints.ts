/** Why a schedule must not be applied, and what to do about it. */
export type Lint = { readonly reason: string; readonly fix: string }

/** What a task needs after SIGTERM to write a checkpoint and hand back what it holds, with a busy store. */
const HAND_BACK_SECONDS = 60
const FARGATE_DEFAULT_STOP_SECONDS = 30
const SQS_DEFAULT_RETENTION_SECONDS = 4 * 86_400

/** A synthesised CloudFormation template, as far as it is looked at. */
export type Template = {
  readonly Resources?: Readonly<
    Record<string, { readonly Type?: string; readonly Properties?: Properties }>
  >
}
type Properties = Readonly<Record<string, unknown>>

/** A file that is no CloudFormation template. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

/** Throws TemplateError. */
export function readTemplate(json: string): Template {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw new TemplateError('it is no JSON; `cdk synth` writes one to cdk.out')
  }
  if (!isTemplate(value))
    throw new TemplateError('it is no CloudFormation template: it has no Resources')
  return value
}

function isTemplate(value: unknown): value is Template {
  return (
    typeof value === 'object' &&
    value !== null &&
    'Resources' in value &&
    typeof value.Resources === 'object' &&
    value.Resources !== null
  )
}

/**
 * What a template does against a service that sleeps: set the number of tasks at each deployment,
 * forget in the longest closure what was sent, or kill before work is handed back. `closureHours`
 * includes the time to wake.
 */
export function lintTemplate({ Resources = {} }: Template, closureHours: number): readonly Lint[] {
  return Object.entries(Resources).flatMap(
    ([id, { Type = '', Properties = {} }]) =>
      lintsOfType[Type]?.(id, Properties, closureHours) ?? [],
  )
}

const lintsOfType: Readonly<
  Record<string, (id: string, properties: Properties, closureHours: number) => Lint[]>
> = {
  'AWS::ECS::Service': serviceLints,
  'AWS::ECS::TaskDefinition': taskLints,
  'AWS::SQS::Queue': queueLints,
  'AWS::S3::Bucket': bucketLints,
}

function serviceLints(id: string, properties: Properties): Lint[] {
  const lints: Lint[] = []
  if ('DesiredCount' in properties)
    lints.push({
      reason: `The service ${id} has a DesiredCount: each deployment would start tasks in the middle of a night.`,
      fix: 'Leave DesiredCount out; the scheduled actions set it.',
    })
  if (properties['AvailabilityZoneRebalancing'] !== 'DISABLED')
    lints.push({
      reason: `The service ${id} does not switch zone rebalancing off: ECS stops tasks for it that are at work.`,
      fix: 'Set AvailabilityZoneRebalancing to DISABLED.',
    })
  return lints
}

function taskLints(id: string, { ContainerDefinitions }: Properties): Lint[] {
  const containers = Array.isArray(ContainerDefinitions)
    ? (ContainerDefinitions as Properties[])
    : []
  return containers.flatMap(({ Name, StopTimeout, Essential }) => {
    const seconds = Number(StopTimeout ?? FARGATE_DEFAULT_STOP_SECONDS)
    if (seconds >= HAND_BACK_SECONDS || Essential === false) return []
    return [
      {
        reason: `The container ${String(Name)} of ${id} is killed ${seconds} seconds after SIGTERM, before a checkpoint is sure to be written (${HAND_BACK_SECONDS}).`,
        fix: 'Set StopTimeout to 120, the most that Fargate gives.',
      },
    ]
  })
}

function queueLints(id: string, { MessageRetentionPeriod }: Properties, hours: number): Lint[] {
  const kept = Number(MessageRetentionPeriod ?? SQS_DEFAULT_RETENTION_SECONDS) / 3600
  if (kept >= hours) return []
  return [
    {
      reason: `The queue ${id} keeps messages for ${kept} hours; the longest closure with the time to wake is ${hours}.`,
      fix: 'Set MessageRetentionPeriod to 1209600 (14 days), the most there is.',
    },
  ]
}

/** Uploads that a sender began before a closure and goes on with after it. */
function bucketLints(id: string, { LifecycleConfiguration }: Properties, hours: number): Lint[] {
  const rules =
    typeof LifecycleConfiguration === 'object' &&
    LifecycleConfiguration !== null &&
    'Rules' in LifecycleConfiguration &&
    Array.isArray(LifecycleConfiguration.Rules)
      ? (LifecycleConfiguration.Rules as Properties[])
      : []
  return rules.flatMap(({ AbortIncompleteMultipartUpload: abort }) => {
    const days =
      typeof abort === 'object' && abort !== null && 'DaysAfterInitiation' in abort
        ? Number(abort.DaysAfterInitiation)
        : Infinity
    if (days * 24 >= hours) return []
    return [
      {
        reason: `The bucket ${id} aborts unfinished uploads after ${days} days; the longest closure with the time to wake is ${hours} hours.`,
        fix: 'Set DaysAfterInitiation to 7.',
      },
    ]
  })
}
