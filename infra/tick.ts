import { Duration, Stack } from 'aws-cdk-lib'
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import { Construct } from 'constructs'
import type { Buckets } from './buckets.ts'
import type { FrontDoor } from './front-door.ts'
import { SmallFunction } from './small-function.ts'
import type { Service } from './service.ts'

/** How long a missed edge of the schedule can go unnoticed. */
export const TICK_MINUTES = 5

export type TickOptions = {
  readonly buckets: Buckets
  readonly services: readonly Watched[]
  readonly frontDoor?: { readonly door: FrontDoor; readonly resourceId: string } | undefined
}

export type Watched = {
  readonly command: 'work' | 'serve'
  readonly service: Service
  /** `service/<cluster>/<service>`, as Application Auto Scaling and the metrics name it. */
  readonly resourceId: string
}

/** Reconciles what is with what should be, every five minutes, from outside the service that sleeps. */
export class Tick extends Construct {
  readonly lambda: SmallFunction

  constructor(scope: Construct, id: string, { buckets, services, frontDoor }: TickOptions) {
    super(scope, id)
    const { state, keys } = buckets
    this.lambda = new SmallFunction(this, 'Reconcile', {
      entry: 'tick',
      description: 'Compares the service with its schedule and corrects it, also while it sleeps',
      timeout: Duration.minutes(1),
      environment: {
        RESOURCE_IDS: services.map(({ resourceId }) => resourceId).join(','),
        STATE_BUCKET: state.bucketName,
        ...(frontDoor === undefined
          ? {}
          : {
              SERVE_RESOURCE_ID: frontDoor.resourceId,
              LISTENER_RULE_ARN: frontDoor.door.rule.listenerRuleArn,
              SERVE_TARGET_GROUP_ARN: frontDoor.door.serveTargets.targetGroupArn,
              ASLEEP_TARGET_GROUP_ARN: frontDoor.door.asleepTargets.targetGroupArn,
            }),
      },
    })
    const { lambda } = this
    const pauses = state.arnForObjects('lifecycle/pauses/*')
    lambda.permit(['s3:GetObject'], [state.arnForObjects('lifecycle/windows.json'), pauses])
    lambda.permit(['s3:PutObject'], [pauses])
    lambda.permit(['s3:ListBucket'], [state.bucketArn]) // or S3 says 403 for what is not there
    lambda.permit(['kms:Decrypt', 'kms:GenerateDataKey'], [keys.state.keyArn])
    lambda.permit(
      ['ecs:DescribeServices'],
      services.map(({ service }) => service.service.serviceArn),
    )
    lambda.permit(['application-autoscaling:DescribeScalableTargets'], ['*'])
    lambda.permit(
      ['application-autoscaling:RegisterScalableTarget'],
      [
        Stack.of(this).formatArn({
          service: 'application-autoscaling',
          resource: 'scalable-target',
          resourceName: '*',
        }),
      ],
    )
    if (frontDoor !== undefined)
      lambda.permit(['elasticloadbalancing:ModifyRule'], [frontDoor.door.rule.listenerRuleArn])
    new Schedule(this, 'EveryFiveMinutes', {
      schedule: ScheduleExpression.rate(Duration.minutes(TICK_MINUTES)),
      target: new LambdaInvoke(lambda.fn, {
        retryAttempts: 1, // the next tick does the same
        maxEventAge: Duration.minutes(TICK_MINUTES),
      }),
    })
  }
}
