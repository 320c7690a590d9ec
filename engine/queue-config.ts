import { sqsDefaults, type SqsAddress, type SqsQueueOptions } from './adapters/sqs-queue.ts'
import type { FieldReader } from './config-fields.ts'

/** The `queue:` section: how work is shared between tasks, and how much of it at once. */
export type QueueSettings = {
  /** The SQS queue of chunks; undefined for one task that shares with nobody. */
  readonly chunks?: SqsAddress
  readonly deadLetters?: SqsAddress
  /** Where S3 says, by way of EventBridge, that a complete.json has landed. */
  readonly doorbell?: SqsAddress
  readonly timing: SqsQueueOptions
  /** Transfers of one integrator on their way at once, in each drop zone. */
  readonly perIntegrator: number
  /** Chunks of one consignment given out and unfinished, at most. */
  readonly admission: number
  readonly requeueMinutes: number
  readonly readmitMinutes: number
  /** How often a task that seals or merges gives a sign of life; dead after three times that. */
  readonly signOfLifeSeconds: number
}

export type QueueDeployment = {
  readonly url?: string
  readonly deadLetterUrl?: string
  readonly doorbellUrl?: string
}

const DEFAULTS = {
  perIntegrator: 8, // small transfers follow one another without a pause; a flood still waits its turn
  admission: 64, // four tasks of four processors, three times over
  requeueMinutes: 12, // longer than two visibility times: a dead task's message comes back by itself
  readmitMinutes: 15,
  signOfLifeSeconds: 60,
} as const

export function readQueue(reader: FieldReader, deployment: QueueDeployment): QueueSettings {
  const where = { region: reader.text('region'), endpoint: reader.text('endpoint') }
  const queue = <Name extends string>(
    setting: Name,
    text: string,
    deployed: string | undefined,
  ): Partial<Record<Name, SqsAddress>> => {
    const written = reader.text(text)
    const url = deployed ?? written
    if (url === undefined) return {}
    if (!URL.canParse(url))
      reader.problem(`${reader.where(text)}\`${text}\` has to be a queue's URL`)
    const address: SqsAddress = {
      url,
      ...(where.region === undefined ? {} : { region: where.region }),
      ...(where.endpoint === undefined ? {} : { endpoint: where.endpoint }),
    }
    return { [setting]: address } as Partial<Record<Name, SqsAddress>>
  }
  const settings: QueueSettings = {
    ...queue('chunks', 'url', deployment.url),
    ...queue('deadLetters', 'deadLetterUrl', deployment.deadLetterUrl),
    ...queue('doorbell', 'doorbellUrl', deployment.doorbellUrl),
    timing: {
      visibilitySeconds: reader.whole('visibilitySeconds', 3) ?? sqsDefaults.visibilitySeconds,
      waitSeconds: reader.whole('waitSeconds', 0) ?? sqsDefaults.waitSeconds,
      retrySeconds: reader.whole('retrySeconds', 0) ?? sqsDefaults.retrySeconds,
    },
    perIntegrator: reader.whole('perIntegrator', 1) ?? DEFAULTS.perIntegrator,
    admission: reader.whole('admission', 1) ?? DEFAULTS.admission,
    requeueMinutes: reader.whole('requeueMinutes', 0) ?? DEFAULTS.requeueMinutes,
    readmitMinutes: reader.whole('readmitMinutes', 0) ?? DEFAULTS.readmitMinutes,
    signOfLifeSeconds: reader.whole('signOfLifeSeconds', 1) ?? DEFAULTS.signOfLifeSeconds,
  }
  reader.finish()
  return settings
}
