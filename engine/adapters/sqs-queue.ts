import type { SQSClient } from '@aws-sdk/client-sqs'
import { QueueError, type ConsumeOptions, type Handler, type Queue } from './queue.ts'

export type SqsAddress = {
  readonly url: string
  readonly region?: string
  readonly endpoint?: string
}

export type SqsQueueOptions = {
  /** How long a message is hidden from others after one sign of life; extended at a third of it. */
  readonly visibilitySeconds: number
  /** How long one look into an empty queue lasts: 20 s is the cheapest and the most there is. */
  readonly waitSeconds: number
  /** How long a message rests after its handler threw. */
  readonly retrySeconds: number
}

export const sqsDefaults: SqsQueueOptions = {
  visibilitySeconds: 300,
  waitSeconds: 20,
  retrySeconds: 30,
}

const BATCH = 10
/** Longer than any stop timeout: the process ends when its work has, or is killed. */
const STOP_PATIENCE_MS = 3_600_000

/** A standard SQS queue. The SDK and sqs-consumer, which polls and extends, load at first use. */
export function createSqsQueue(address: SqsAddress, options: SqsQueueOptions = sqsDefaults): Queue {
  const { url: QueueUrl } = address
  let loaded: Promise<Loaded> | undefined
  const load = () => (loaded ??= loadSdk(address))

  async function call<T>(what: string, send: (sdk: Loaded) => Promise<T>): Promise<T> {
    try {
      return await send(await load())
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      throw new QueueError(`the queue ${QueueUrl} did not ${what}: ${said}`, { cause: error })
    }
  }

  return {
    address: QueueUrl,
    outlivesProcess: true,

    async send(messages) {
      for (let at = 0; at < messages.length; at += BATCH) {
        const batch = messages.slice(at, at + BATCH)
        const { Failed = [] } = await call('take messages', ({ client, sdk }) =>
          client.send(
            new sdk.SendMessageBatchCommand({
              QueueUrl,
              Entries: batch.map(({ body, group }, i) => ({
                Id: String(i),
                MessageBody: body,
                MessageGroupId: groupId(group),
              })),
            }),
          ),
        )
        const [first] = Failed
        if (first !== undefined)
          throw new QueueError(
            `the queue ${QueueUrl} refused ${Failed.length} messages: ${first.Message ?? first.Code ?? 'no reason given'}`,
          )
      }
    },

    async consume(handle, consuming) {
      const { Consumer, client } = await call('open', async (sdk) => sdk)
      await Promise.all(
        Array.from({ length: consuming.concurrency }, () =>
          consumeOne(Consumer, client, QueueUrl, handle, consuming, options),
        ),
      )
    },

    async depth() {
      const { Attributes = {} } = await call('tell its depth', ({ client, sdk }) =>
        client.send(
          new sdk.GetQueueAttributesCommand({
            QueueUrl,
            AttributeNames: [
              'ApproximateNumberOfMessages',
              'ApproximateNumberOfMessagesNotVisible',
            ],
          }),
        ),
      )
      return {
        waiting: Number(Attributes['ApproximateNumberOfMessages'] ?? 0),
        inHand: Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
      }
    },

    async close() {
      if (loaded !== undefined) (await loaded).client.destroy()
    },
  }
}

type Loaded = {
  readonly client: SQSClient
  readonly sdk: typeof import('@aws-sdk/client-sqs')
  readonly Consumer: typeof import('sqs-consumer').Consumer
}

async function loadSdk(address: SqsAddress): Promise<Loaded> {
  const [sdk, { Consumer }] = await Promise.all([
    import('@aws-sdk/client-sqs'),
    import('sqs-consumer'),
  ])
  const client = new sdk.SQSClient({
    ...(address.region === undefined ? {} : { region: address.region }),
    ...(address.endpoint === undefined ? {} : { endpoint: address.endpoint }),
  })
  return { client, sdk, Consumer }
}

/** One message at a time: its deletion, extension and return are its own. */
function consumeOne(
  Consumer: Loaded['Consumer'],
  client: SQSClient,
  queueUrl: string,
  handle: Handler,
  consuming: ConsumeOptions,
  options: SqsQueueOptions,
): Promise<void> {
  let givenBack = false
  const consumer = Consumer.create({
    queueUrl,
    sqs: client,
    batchSize: 1,
    waitTimeSeconds: options.waitSeconds,
    visibilityTimeout: options.visibilitySeconds,
    heartbeatInterval: Math.max(1, Math.floor(options.visibilitySeconds / 3)),
    messageSystemAttributeNames: ['ApproximateReceiveCount'],
    terminateVisibilityTimeout: () => (givenBack ? 0 : options.retrySeconds),
    pollingCompleteWaitTimeMs: STOP_PATIENCE_MS,
    ...(consuming.ready === undefined ? {} : { preReceiveMessageCallback: consuming.ready }),
    handleMessage: async (message) => {
      givenBack = consuming.signal.aborted
      if (givenBack) throw new GivenBack()
      const handled = await handle({
        body: message.Body ?? '',
        receives: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
      })
      givenBack = handled === 'give back'
      if (givenBack) throw new GivenBack()
      return message
    },
  })
  consumer.on('error', consuming.onError)
  consumer.on('timeout_error', consuming.onError)
  consumer.on('processing_error', (error) => {
    if (!givenBack) consuming.onError(error)
  })
  return new Promise((resolve) => {
    const stop = () => consumer.stop()
    consumer.on('stopped', () => {
      consuming.signal.removeEventListener('abort', stop)
      resolve()
    })
    consumer.start()
    if (consuming.signal.aborted) stop()
    else consuming.signal.addEventListener('abort', stop, { once: true })
  })
}

/** Thrown for sqs-consumer's sake: the one way to have it return a message at once. */
class GivenBack extends Error {}

/** MessageGroupId takes 1 to 128 letters, digits and punctuation. */
function groupId(group: string): string {
  return group.replace(/[^\w!"#$%&'()*+,\-./:;<=>?@[\\\]^`{|}~]/g, '_').slice(0, 128) || '_'
}
