import { Duration, Stack } from 'aws-cdk-lib'
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events'
import { LambdaFunction, SnsTopic } from 'aws-cdk-lib/aws-events-targets'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import { Construct } from 'constructs'
import type { Buckets } from './buckets.ts'
import { REPORT_DELIVERED, SOURCE } from './lambda/report-delivered.ts'
import type { Queues } from './queues.ts'
import { SmallFunction } from './small-function.ts'

/**
 * A `ReportDelivered` event on the account's event bus and an SNS topic, each time the object that
 * makes a report exist is written. No engine has to be alive for it to be tried again.
 */
export class Announcements extends Construct {
  readonly topic: Topic

  constructor(
    scope: Construct,
    id: string,
    { buckets, queues, apiUrl }: { buckets: Buckets; queues: Queues; apiUrl: string },
  ) {
    super(scope, id)
    this.topic = new Topic(this, 'Reports', { displayName: 'Reports delivered', enforceSSL: true })
    const { reports, keys } = buckets
    const announce = new SmallFunction(this, 'Announce', {
      entry: 'announce',
      description: 'delivered.json to a ReportDelivered event',
      environment: { API_URL: apiUrl },
    })
    announce.permit(['s3:GetObject'], [reports.arnForObjects('*/delivered.json')])
    announce.permit(['kms:Decrypt'], [keys.reports.keyArn])
    announce.permit(['events:PutEvents'], [defaultBus(this)])
    announce.fn.configureAsyncInvoke({
      retryAttempts: 2,
      maxEventAge: Duration.hours(6),
      onFailure: new SqsDestination(queues.deadLetters.announcements),
    })
    new Rule(this, 'ReportExists', {
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [reports.bucketName] },
          object: { key: [{ suffix: '/delivered.json' }] },
        },
      },
      targets: [
        new LambdaFunction(announce.fn, { deadLetterQueue: queues.deadLetters.announcements }),
      ],
    })
    new Rule(this, 'Delivered', {
      eventPattern: { source: [SOURCE], detailType: [REPORT_DELIVERED] },
      targets: [
        new SnsTopic(this.topic, {
          message: RuleTargetInput.fromEventPath('$.detail'),
          deadLetterQueue: queues.deadLetters.announcements,
        }),
      ],
    })
  }
}

function defaultBus(scope: Construct): string {
  return Stack.of(scope).formatArn({
    service: 'events',
    resource: 'event-bus',
    resourceName: 'default',
  })
}
