import { createInProcessQueue } from './in-process-queue.ts'
import { describeQueueContract } from './queue.contract.ts'

describeQueueContract('in this process', () => {
  const never = { maxReceives: 3, retryDelayMs: 1 }
  const dead = createInProcessQueue(never)
  const queue = createInProcessQueue({ ...never, dead })
  return Promise.resolve({ queue, dead, maxReceives: 3, close: () => Promise.resolve() })
})
