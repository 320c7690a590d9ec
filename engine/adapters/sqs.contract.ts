import { makeQueues } from '../../fixtures/servers/sqs-server.ts'
import { describeQueueContract } from './queue.contract.ts'
import { createSqsQueue } from './sqs-queue.ts'

/** The queue contract on one SQS server. */
export function describeSqsContract(name: string, endpoint: string, end: () => unknown): void {
  process.env['AWS_ACCESS_KEY_ID'] = 'test'
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test'
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
  let made = 0
  describeQueueContract(
    name,
    async () => {
      const maxReceives = 3
      const { url, deadUrl } = await makeQueues(endpoint, `contract-${++made}`, maxReceives)
      const timing = { visibilitySeconds: 30, waitSeconds: 1, retrySeconds: 0 }
      const queue = createSqsQueue({ url, endpoint, region: 'us-east-1' }, timing)
      const dead = createSqsQueue({ url: deadUrl, endpoint, region: 'us-east-1' }, timing)
      const close = () => Promise.all([queue.close(), dead.close()]).then(() => undefined)
      return { queue, dead, maxReceives, close }
    },
    end,
  )
}
