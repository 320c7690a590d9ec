import { Duration } from 'aws-cdk-lib'
import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  Metric,
  TreatMissingData,
  type IAlarm,
  type IMetric,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { FrontDoor } from './front-door.ts'
import { METRIC_NAMESPACE, type tickMetricNames } from './lambda/tick-metrics.ts'
import type { Queues } from './queues.ts'
import { TICK_MINUTES, type Tick, type Watched } from './tick.ts'

/** Anchors in docs/howto/on-call.md: every alarm leads to one, and a test looks for them there. */
export const anchors = [
  'dead-letters',
  'not-awake',
  'not-asleep',
  'tick-silent',
  'suspended',
  'waiting-too-long',
  'integrity',
  'api-errors',
  'budget',
] as const
export type Anchor = (typeof anchors)[number]

export type AlarmsOptions = {
  readonly topic: ITopic
  readonly runbookUrl: string
  readonly queues: Queues
  readonly services: readonly Watched[]
  readonly tick: Tick
  readonly frontDoor?: FrontDoor | undefined
}

/** A tick's measure for one service. Missing while the tick is silent, which has its own alarm. */
export function tickMetric(name: (typeof tickMetricNames)[number], resourceId: string): Metric {
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName: name,
    dimensionsMap: { Service: resourceId },
    statistic: 'Maximum',
    period: Duration.minutes(TICK_MINUTES),
  })
}

/** No alarm of these rings because the service sleeps as it should. */
export class Alarms extends Construct {
  readonly #options: AlarmsOptions

  constructor(scope: Construct, id: string, options: AlarmsOptions) {
    super(scope, id)
    this.#options = options
    for (const [name, queue] of Object.entries(options.queues.deadLetters)) {
      this.#alarm(`DeadLetters-${name}`, 'dead-letters', `Messages of ${name} were given up`, {
        metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
      })
    }
    for (const watched of options.services) this.#watch(watched)
    this.#alarm('TickSilent', 'tick-silent', 'The tick has not ended well for 20 minutes', {
      metric: options.tick.lambda.fn.metricInvocations({ period: Duration.minutes(TICK_MINUTES) }),
      lessThan: 1,
      periods: 4,
      missing: TreatMissingData.BREACHING, // silence is what it listens for
    })
    this.#alarm('TickFailing', 'tick-silent', 'The tick has failed three times running', {
      metric: options.tick.lambda.fn.metricErrors({ period: Duration.minutes(TICK_MINUTES) }),
      periods: 3,
    })
    if (options.frontDoor !== undefined) {
      this.#alarm('ApiErrors', 'api-errors', 'serve answers with errors of its own', {
        metric: options.frontDoor.serveTargets.metrics.httpCodeTarget(
          HttpCodeTarget.TARGET_5XX_COUNT,
          {
            statistic: 'Sum',
            period: Duration.minutes(5),
          },
        ),
        atLeast: 5,
        periods: 2,
      })
    }
  }

  #watch({ command, service, resourceId }: Watched): void {
    const of = (name: (typeof tickMetricNames)[number]) => tickMetric(name, resourceId)
    this.#alarm(`NotAwake-${command}`, 'not-awake', `${command} should be awake and nothing runs`, {
      metric: of('MissingAwake'),
      periods: 3, // waking takes minutes: pulling the image, starting, the first sweep
    })
    this.#alarm(
      `NotAsleep-${command}`,
      'not-asleep',
      `${command} should be asleep and still runs`,
      {
        metric: of('LeftRunning'),
        periods: 12, // half an hour of overtime is allowed, and protected work may use it
      },
    )
    this.#alarm(
      `Suspended-${command}`,
      'suspended',
      `Somebody has paused the schedule of ${command}`,
      {
        metric: of('Suspended'),
        periods: 24, // two hours: a pause is a tool, a forgotten one is a cost
      },
    )
    if (command !== 'work') return
    const asleep = new Alarm(this, 'Asleep', {
      alarmDescription: 'No fault: work sleeps as it should. Suppresses others.',
      metric: of('Asleep'),
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    this.#waiting(asleep)
    new MetricFilter(this, 'IntegrityLines', {
      logGroup: service.logs,
      filterPattern: FilterPattern.literal('"INTEGRITY ALARM"'),
      metricNamespace: METRIC_NAMESPACE,
      metricName: 'IntegrityAlarms',
    })
    this.#alarm(
      'Integrity',
      'integrity',
      'Two results of one chunk differ, or stored bytes changed',
      {
        metric: new Metric({
          namespace: METRIC_NAMESPACE,
          metricName: 'IntegrityAlarms',
          statistic: 'Sum',
        }),
      },
    )
  }

  /** The age of messages grows all weekend by design, and for a while after waking. */
  #waiting(asleep: IAlarm): void {
    const old = this.#quiet('Waiting', 'waiting-too-long', 'Work waits for over two hours', {
      metric: this.#options.queues.chunks.metricApproximateAgeOfOldestMessage({
        statistic: 'Maximum',
        period: Duration.minutes(5),
      }),
      atLeast: 2 * 3600,
      periods: 3,
    })
    const composite = new CompositeAlarm(this, 'WaitingWhileAwake', {
      alarmRule: AlarmRule.fromAlarm(old, AlarmState.ALARM),
      alarmDescription: this.#describe('waiting-too-long', 'Work waits for over two hours, awake'),
      actionsSuppressor: asleep,
      actionsSuppressorWaitPeriod: Duration.minutes(5),
      actionsSuppressorExtensionPeriod: Duration.hours(1), // for the backlog of a weekend
    })
    composite.addAlarmAction(new SnsAction(this.#options.topic))
  }

  #alarm(id: string, anchor: Anchor, meaning: string, rule: Rule): void {
    this.#quiet(id, anchor, meaning, rule).addAlarmAction(new SnsAction(this.#options.topic))
  }

  #quiet(id: string, anchor: Anchor, meaning: string, rule: Rule): Alarm {
    return new Alarm(this, id, {
      alarmDescription: this.#describe(anchor, meaning),
      metric: rule.metric,
      comparisonOperator:
        rule.lessThan === undefined
          ? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
          : ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: rule.lessThan ?? rule.atLeast ?? 1,
      evaluationPeriods: rule.periods ?? 1,
      treatMissingData: rule.missing ?? TreatMissingData.NOT_BREACHING,
    })
  }

  #describe(anchor: Anchor, meaning: string): string {
    return `${meaning}. What to do: ${this.#options.runbookUrl}#${anchor}`
  }
}

type Rule = {
  readonly metric: IMetric
  /** Default 1. */
  readonly atLeast?: number
  readonly lessThan?: number
  readonly periods?: number
  readonly missing?: TreatMissingData
}
