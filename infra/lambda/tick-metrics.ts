import type { ServiceFacts, TickDecision } from './decide-tick.ts'

export const METRIC_NAMESPACE = 'Wharfinger'

/** Names of what each tick measures, one value a service. */
export const tickMetricNames = [
  'Asleep', // 1 while it should be: what other alarms are suppressed by
  'RunningTasks',
  'MissingAwake', // 1: should be awake, and nothing runs
  'LeftRunning', // 1: should be asleep, and something runs
  'Suspended', // 1: a person has paused the schedule
] as const

/** One log line in CloudWatch's embedded metric format, which becomes metrics without a request. */
export function tickMetrics(
  resourceId: string,
  facts: ServiceFacts,
  decision: TickDecision,
): object {
  const running = facts.runningTasks > 0
  const values: Record<(typeof tickMetricNames)[number], number> = {
    Asleep: decision.shouldBeAwake ? 0 : 1,
    RunningTasks: facts.runningTasks,
    MissingAwake: decision.shouldBeAwake && wantedFloor(facts, decision) > 0 && !running ? 1 : 0,
    LeftRunning: !decision.shouldBeAwake && running ? 1 : 0,
    Suspended: facts.suspended ? 1 : 0,
  }
  return {
    _aws: {
      Timestamp: facts.nowUtc,
      CloudWatchMetrics: [
        {
          Namespace: METRIC_NAMESPACE,
          Dimensions: [['Service']],
          Metrics: tickMetricNames.map((Name) => ({ Name, Unit: 'Count' })),
        },
      ],
    },
    Service: resourceId,
    ...values,
    reason: decision.reason,
  }
}

/** With a floor of none, an awake service without work may rightly run nothing. */
function wantedFloor(facts: ServiceFacts, { bounds }: TickDecision): number {
  return bounds?.minTasks ?? facts.minTasks
}
