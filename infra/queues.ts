import { Duration } from 'aws-cdk-lib'
import { Rule } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Buckets } from './buckets.ts'

/** SQS's most. The longest UK closure is 107 hours (Easter), the default would be 96. */
const RETENTION = Duration.days(14)

/** How long one receipt hides a chunk; the worker extends it while it is at work. */
const VISIBILITY = Duration.minutes(5)

/** The engine bisects a chunk that has killed its worker three times, so SQS must not give up first. */
const MAX_RECEIVES = 6

/**
 * Queues carry references only and losing them loses no work. `doorbell` says that a transfer was
 * completed; `chunks` spreads chunks over tasks.
 */
export class Queues extends Construct {
  readonly doorbell: Queue
  readonly chunks: Queue
  readonly deadLetters: Readonly<Record<'doorbell' | 'chunks' | 'announcements', Queue>>

  constructor(scope: Construct, id: string, buckets: Buckets) {
    super(scope, id)
    this.deadLetters = {
      doorbell: this.#queue('DoorbellDeadLetters'),
      chunks: this.#queue('ChunksDeadLetters'),
      announcements: this.#queue('AnnouncementsDeadLetters'),
    }
    this.doorbell = this.#queue('Doorbell', this.deadLetters.doorbell)
    this.chunks = this.#queue('Chunks', this.deadLetters.chunks)
    new Rule(this, 'TransferCompleted', {
      description: 'A complete.json has landed',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [buckets.dropZone.bucketName] },
          object: { key: [{ wildcard: '*/complete.json' }, { wildcard: '*/complete.*.json' }] },
        },
      },
      targets: [
        new SqsQueue(this.doorbell, {
          deadLetterQueue: this.deadLetters.doorbell,
          retryAttempts: 185,
          maxEventAge: Duration.hours(24),
        }),
      ],
    })
  }

  #queue(id: string, deadLetterQueue?: Queue): Queue {
    return new Queue(this, id, {
      encryption: QueueEncryption.SQS_MANAGED, // EventBridge can write to it without a key of ours
      enforceSSL: true,
      retentionPeriod: RETENTION,
      ...(deadLetterQueue === undefined
        ? {}
        : {
            visibilityTimeout: VISIBILITY,
            deadLetterQueue: { queue: deadLetterQueue, maxReceiveCount: MAX_RECEIVES },
          }),
    })
  }
}
