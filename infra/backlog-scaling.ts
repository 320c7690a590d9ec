import { Duration } from 'aws-cdk-lib'
import {
  AdjustmentType,
  MetricAggregationType,
  StepScalingAction,
  type ScalableTarget,
} from 'aws-cdk-lib/aws-applicationautoscaling'
import {
  Alarm,
  ComparisonOperator,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { ApplicationScalingAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Construct } from 'constructs'
import type { Queues } from './queues.ts'

export type BacklogScalingOptions = {
  readonly scaling: ScalableTarget
  readonly queues: Queues
  /** The ceiling. */
  readonly maxTasks: number
}

/** A chunk is about a minute's work, so a task that has twenty is busy for a quarter of an hour at most. */
const CHUNKS_PER_TASK = 20

/**
 * Messages that wait, and those in work: an empty queue is not an idle service. Absolute, never per
 * task: with no task there is nothing to divide by.
 */
export function backlog(queues: Queues, period = Duration.minutes(1)): MathExpression {
  const { chunks, doorbell } = queues
  return new MathExpression({
    label: 'Backlog',
    expression: 'FILL(waiting, 0) + FILL(inWork, 0) + FILL(rings, 0)',
    period,
    usingMetrics: {
      waiting: chunks.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
      inWork: chunks.metricApproximateNumberOfMessagesNotVisible({ statistic: 'Maximum' }),
      rings: doorbell.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
    },
  })
}

/**
 * Step scaling on the backlog, up to the ceiling, and down to nothing after a quarter of an hour
 * without any. It acts only inside the bounds that the lifecycle sets: in a hard closure nothing
 * here can start a task. Tasks with work in hand are protected and survive a step down.
 */
export class BacklogScaling extends Construct {
  constructor(scope: Construct, id: string, options: BacklogScalingOptions) {
    super(scope, id)
    const { scaling, queues, maxTasks } = options
    const policy = {
      scalingTarget: scaling,
      adjustmentType: AdjustmentType.EXACT_CAPACITY,
      cooldown: Duration.minutes(5),
      metricAggregationType: MetricAggregationType.MAXIMUM,
    }
    const out = new StepScalingAction(this, 'Out', policy)
    for (let tasks = 1; tasks <= maxTasks; tasks++) {
      out.addAdjustment({
        adjustment: tasks,
        lowerBound: Math.max(0, (tasks - 1) * CHUNKS_PER_TASK - 1),
        ...(tasks === maxTasks ? {} : { upperBound: tasks * CHUNKS_PER_TASK - 1 }),
      })
    }
    const something = new Alarm(this, 'Something', {
      alarmDescription: 'Scaling only: something waits',
      metric: backlog(queues),
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    something.addAlarmAction(new ApplicationScalingAction(out))

    const down = new StepScalingAction(this, 'In', policy)
    down.addAdjustment({ adjustment: 0, upperBound: 0 })
    const nothing = new Alarm(this, 'Nothing', {
      alarmDescription: 'Scaling only: nothing has waited for a quarter of an hour',
      metric: backlog(queues),
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 15,
      treatMissingData: TreatMissingData.BREACHING,
    })
    nothing.addAlarmAction(new ApplicationScalingAction(down))
  }
}
