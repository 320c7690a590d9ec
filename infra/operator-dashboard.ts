import { Duration } from 'aws-cdk-lib'
import { Dashboard, GraphWidget, TextWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { tickMetric } from './alarms.ts'
import { backlog } from './backlog-scaling.ts'
import type { Queues } from './queues.ts'
import type { Watched } from './tick.ts'

export type OperatorDashboardOptions = {
  readonly queues: Queues
  readonly services: readonly Watched[]
  readonly runbookUrl: string
}

/** What runs, what waits and for how long, and whether that is as it should be. */
export class OperatorDashboard extends Construct {
  constructor(scope: Construct, id: string, options: OperatorDashboardOptions) {
    super(scope, id)
    const { queues, services, runbookUrl } = options
    const graph = (title: string, left: IMetric[], right: IMetric[] = []) =>
      new GraphWidget({ title, left, right, width: 12, height: 6 })
    const each = (name: Parameters<typeof tickMetric>[0]) =>
      services.map(({ command, resourceId }) =>
        tickMetric(name, resourceId).with({ label: `${command}: ${name}` }),
      )
    new Dashboard(this, 'Dashboard', {
      defaultInterval: Duration.days(7),
      widgets: [
        [
          new TextWidget({
            markdown: `[What each alarm means](${runbookUrl})`,
            width: 24,
            height: 1,
          }),
        ],
        [
          graph('Tasks that run, and hours asleep', each('RunningTasks'), each('Asleep')),
          graph(
            'Wrong for the schedule',
            [...each('MissingAwake'), ...each('LeftRunning')],
            each('Suspended'),
          ),
        ],
        [
          graph('What waits', [backlog(queues, Duration.minutes(5))]),
          graph('Age of the oldest, in seconds', [
            queues.chunks.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }),
            queues.doorbell.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }),
          ]),
        ],
        [
          graph(
            'Dead letters',
            Object.values(queues.deadLetters).map((queue) =>
              queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
            ),
          ),
        ],
      ],
    })
  }
}
