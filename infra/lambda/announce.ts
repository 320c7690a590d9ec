import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { environment } from './environment.ts'
import { REPORT_DELIVERED, SOURCE, reportDelivered } from './report-delivered.ts'

const s3 = new S3Client({})
const events = new EventBridgeClient({})

type ObjectCreated = {
  readonly detail: {
    readonly bucket: { readonly name: string }
    readonly object: { readonly key: string }
  }
}

/** From `delivered.json` in the reports bucket to one event. A failure is retried, then a dead letter. */
export async function handler({ detail }: ObjectCreated): Promise<void> {
  const { name: Bucket } = detail.bucket
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: detail.object.key }))
  const delivered: unknown = JSON.parse((await Body?.transformToString()) ?? '')
  const { FailedEntryCount } = await events.send(
    new PutEventsCommand({
      Entries: [
        {
          Source: SOURCE,
          DetailType: REPORT_DELIVERED,
          Detail: JSON.stringify(reportDelivered(delivered, Bucket, environment('API_URL'))),
        },
      ],
    }),
  )
  if (FailedEntryCount !== 0) throw new Error('EventBridge did not take the event')
}
