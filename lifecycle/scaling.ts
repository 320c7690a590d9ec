import type {
  ApplicationAutoScalingClient,
  ScheduledAction,
} from '@aws-sdk/client-application-auto-scaling'
import type { ECSClient } from '@aws-sdk/client-ecs'
import type { ScheduledActionSpec } from './schedule.ts'
import type { Bounds } from './windows.ts'

/** One scheduled action as AWS describes it. */
export type ActionFacts = {
  readonly name: string
  readonly schedule: string
  readonly timezone: string
  readonly minCapacity: number | undefined
  readonly maxCapacity: number | undefined
  /** It has a start or an end time, which ours never have. */
  readonly limited: boolean
}

export type TargetFacts = Bounds & {
  /** A person has paused the scheduled actions. */
  readonly suspended: boolean
}

export type ServiceCounts = { readonly desiredTasks: number; readonly runningTasks: number }

/** Everything that the lifecycle asks of AWS about one service. Methods throw ScalingError only. */
export interface Scaling {
  /** `service/<cluster>/<service>`. */
  readonly resourceId: string
  /** All pages. */
  actions(): Promise<readonly ActionFacts[]>
  /** undefined where the service is not registered for scaling. */
  target(): Promise<TargetFacts | undefined>
  /** undefined where there is no such service. */
  service(): Promise<ServiceCounts | undefined>
  put(action: ScheduledActionSpec): Promise<void>
  /** An action that is gone already is no error. */
  remove(name: string): Promise<void>
  /** Set the bounds now, which clamps the running capacity; `resume` ends a person's pause. */
  register(bounds: Bounds, resume: boolean): Promise<void>
}

export type ScalingErrorReason =
  | 'denied' // we may not
  | 'missing' // no such service, or not registered for scaling
  | 'refused' // AWS says that the request is wrong
  | 'contended' // somebody else changes the same actions
  | 'unavailable' // no answer, or throttled for too long

/** The only error that crosses this boundary; the SDK's is its `cause`. */
export class ScalingError extends Error {
  override readonly name = 'ScalingError'
  readonly reason: ScalingErrorReason
  constructor(reason: ScalingErrorReason, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.reason = reason
  }
}

export type ScalingOptions = {
  /** Told not to retry (`maxAttempts: 1`): this file does. */
  readonly scaling: ApplicationAutoScalingClient
  readonly ecs: ECSClient
  /** How long to wait before the next try, in ms; for tests. */
  readonly pause?: (ms: number) => Promise<void>
}

const TRIES = 8
const BASE_DELAY_MS = 200
const MAX_DELAY_MS = 10_000
// All that the API reference calls transient. Everything else is a mistake, ours or the operator's.
const TRANSIENT: ReadonlySet<string> = new Set([
  'ConcurrentUpdateException',
  'InternalServiceException',
  'ThrottlingException',
])
const ECS_TASKS = {
  ServiceNamespace: 'ecs',
  ScalableDimension: 'ecs:service:DesiredCount',
} as const

export async function createScaling(
  resourceId: string,
  { scaling, ecs, pause = sleep }: ScalingOptions,
): Promise<Scaling> {
  const [aas, { DescribeServicesCommand }] = await Promise.all([
    import('@aws-sdk/client-application-auto-scaling'),
    import('@aws-sdk/client-ecs'),
  ])
  const where = { ...ECS_TASKS, ResourceId: resourceId } as const
  const ask = <Answer>(what: string, call: () => Promise<Answer>) =>
    withRetries(`${what} of ${resourceId}`, call, pause)
  return {
    resourceId,
    async actions() {
      const found: ActionFacts[] = []
      let NextToken: string | undefined
      do {
        const page = await ask('the scheduled actions', () =>
          scaling.send(
            new aas.DescribeScheduledActionsCommand({
              ...where,
              ...(NextToken === undefined ? {} : { NextToken }),
            }),
          ),
        )
        found.push(...(page.ScheduledActions ?? []).map(actionFacts))
        NextToken = page.NextToken
      } while (NextToken !== undefined)
      return found
    },
    async target() {
      const { ScalableTargets } = await ask('the bounds', () =>
        scaling.send(
          new aas.DescribeScalableTargetsCommand({ ...ECS_TASKS, ResourceIds: [resourceId] }),
        ),
      )
      const target = ScalableTargets?.[0]
      return target === undefined
        ? undefined
        : {
            minTasks: target.MinCapacity ?? 0,
            maxTasks: target.MaxCapacity ?? 0,
            suspended: target.SuspendedState?.ScheduledScalingSuspended === true,
          }
    },
    async service() {
      const [, cluster = '', name = ''] = resourceId.split('/')
      try {
        const { services } = await ask('the tasks', () =>
          ecs.send(new DescribeServicesCommand({ cluster, services: [name] })),
        )
        // A service that was deleted is described as INACTIVE for a while.
        const service = services?.find(({ status }) => status !== 'INACTIVE')
        return service === undefined
          ? undefined
          : {
              desiredTasks: service.desiredCount ?? 0,
              runningTasks: service.runningCount ?? 0,
            }
      } catch (error) {
        if (error instanceof ScalingError && error.reason === 'missing') return undefined
        throw error
      }
    },
    async put(action) {
      await ask(`setting ${action.name}`, () =>
        scaling.send(
          // All of it each time: what is left out would keep an old value, or lose one.
          new aas.PutScheduledActionCommand({
            ...where,
            ScheduledActionName: action.name,
            Schedule: action.schedule,
            Timezone: action.timezone,
            ScalableTargetAction: {
              MinCapacity: action.minCapacity,
              MaxCapacity: action.maxCapacity,
            },
          }),
        ),
      )
    },
    async remove(name) {
      try {
        await ask(`removing ${name}`, () =>
          scaling.send(
            new aas.DeleteScheduledActionCommand({ ...where, ScheduledActionName: name }),
          ),
        )
      } catch (error) {
        // Safe: reading back tells whether the target itself is gone.
        if (error instanceof ScalingError && error.reason === 'missing') return
        throw error
      }
    },
    async register({ minTasks, maxTasks }, resume) {
      await ask('setting the bounds', () =>
        scaling.send(
          new aas.RegisterScalableTargetCommand({
            ...where,
            MinCapacity: minTasks,
            MaxCapacity: maxTasks,
            ...(resume ? { SuspendedState: { ScheduledScalingSuspended: false } } : {}),
          }),
        ),
      )
    },
  }
}

function actionFacts(action: ScheduledAction): ActionFacts {
  return {
    name: action.ScheduledActionName ?? '',
    schedule: action.Schedule ?? '',
    timezone: action.Timezone ?? 'UTC',
    minCapacity: action.ScalableTargetAction?.MinCapacity,
    maxCapacity: action.ScalableTargetAction?.MaxCapacity,
    limited: action.StartTime !== undefined || action.EndTime !== undefined,
  }
}

async function withRetries<Answer>(
  what: string,
  call: () => Promise<Answer>,
  pause: (ms: number) => Promise<void>,
): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      const name = error instanceof Error ? error.name : ''
      if (!TRANSIENT.has(name) || tries >= TRIES) throw scalingError(what, error)
      await pause(Math.random() * Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** tries))
    }
  }
}

function scalingError(what: string, error: unknown): ScalingError {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const cause = { cause: error }
  if (/^AccessDenied|NotAuthorized|UnrecognizedClient|ExpiredToken|InvalidSignature/.test(name))
    return new ScalingError(
      'denied',
      `AWS does not allow it (${what}: ${name}). Check the role or the session that this command uses`,
      cause,
    )
  if (name === 'CredentialsProviderError')
    return new ScalingError(
      'denied',
      `there are no AWS credentials here, so AWS was not asked (${what}). Sign in with \`aws sso login\`, or set AWS_PROFILE`,
      cause,
    )
  if (/^ObjectNotFound|^(?:Service|Cluster)NotFound|doesn't exist/.test(`${name} ${message}`))
    return new ScalingError(
      'missing',
      `there is no such service, or it is not registered for scaling (${what}). Check \`service\` under \`lifecycle\`, the region and the account, and whether the stack is deployed`,
      cause,
    )
  if (/^Validation|^LimitExceeded|^InvalidParameter/.test(name))
    return new ScalingError('refused', `AWS refuses ${what}: ${message}`, cause)
  return new ScalingError(
    'unavailable',
    `AWS could not be asked (${what}: ${name}). Nothing is lost: run the same command again`,
    cause,
  )
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
