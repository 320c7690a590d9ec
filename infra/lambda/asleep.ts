import { S3Client } from '@aws-sdk/client-s3'
import { asleepAnswer } from './asleep-answer.ts'
import { environment } from './environment.ts'
import { readWindows } from './windows.ts'

const s3 = new S3Client({})

/** What the load balancer answers while no `serve` task runs. */
export async function handler(): Promise<object> {
  // An answer without the time is better than none.
  const windows = await readWindows(s3, environment('STATE_BUCKET')).catch(() => undefined)
  const own = windows?.services.find(({ resourceId }) => resourceId === environment('RESOURCE_ID'))
  return asleepAnswer(own, Date.now())
}
