import { isDeepStrictEqual } from 'node:util'
import { readCompletion } from '../flow/completion.ts'
import { count } from '../model/count.ts'
import { transferPrefix, type Completion, type TransferAddress } from '../model/transfer.ts'
import { mark, readStateIfThere } from '../run/create-once.ts'
import { refusedKey } from '../run/state-layout.ts'
import type { ServiceContext } from './context.ts'
import type { Initiated } from './initiated.ts'
import { Problem } from './problem.ts'

const COMPLETE_LIMIT_BYTES = 1024 * 1024

/** Why a transfer may not be completed. */
export type Refused = {
  readonly at: string
  readonly errors: readonly LimitError[]
}
export type LimitError = {
  readonly code: 'LIMIT.RECORDS' | 'LIMIT.FILE_SIZE' | 'LIMIT.TRANSFER_SIZE'
  readonly message: string
  /** Key below the transfer, where one object is to blame. */
  readonly key?: string
}

export type CompletionRequest = Omit<Completion, 'loadErrors' | 'remove' | 'reference'> & {
  readonly loadErrors: readonly string[]
  readonly remove: readonly string[]
}

/**
 * Complete a transfer: write its complete.json, once. Saying the same again changes nothing and is
 * answered the same; saying something else throws Problem 409.
 *
 * Returns whether the sender says that everything arrived. What is wrong by the sender's own
 * account goes into complete.json too, so that the report states it.
 */
export async function completeTransfer(
  context: ServiceContext,
  initiated: Initiated,
  request: CompletionRequest,
): Promise<boolean> {
  const { zoneStore } = context
  const { transfer, reference } = initiated
  const key = completeKey(transfer)
  const content = JSON.stringify({ ...request, reference })
  if (Buffer.byteLength(content) > COMPLETE_LIMIT_BYTES)
    throw new Problem(
      413,
      'Too large',
      'What a completion says has to fit into 1 MiB; shorten `loadErrors`.',
    )
  const stated = readCompletion(Buffer.from(content))
  if (stated.kind === 'invalid')
    throw new Problem(400, 'Not a completion', `It was not understood: ${stated.problems[0]}.`)
  if (!(await isCompleted(context, transfer))) await refuseOverLimits(context, transfer)
  if ((await zoneStore.createIfAbsent(key, content)) === 'exists') {
    const bytes = await zoneStore.readWhole(key, { maxBytes: COMPLETE_LIMIT_BYTES })
    if (!isDeepStrictEqual(readCompletion(bytes), stated))
      throw new Problem(
        409,
        'The transfer is completed already',
        'It was completed with other numbers or errors, and that is not changed. Initiate a new transfer; name this one in `corrects` when completing it.',
      )
  }
  return isSound(stated.completion)
}

/** Whether the sender says that it sent everything it meant to. */
export function isSound(completion: Completion): boolean {
  const { expectedNumberFiles, loadedNumberFiles, loadErrors, metadataOnly, corrects, remove } =
    completion
  const onlyRemoves = corrects !== undefined && remove.length > 0
  return (
    loadErrors.length === 0 &&
    expectedNumberFiles === loadedNumberFiles &&
    (metadataOnly || onlyRemoves || (loadedNumberFiles ?? 0) >= 1)
  )
}

export async function isCompleted(
  { zoneStore }: Pick<ServiceContext, 'zoneStore'>,
  transfer: TransferAddress,
): Promise<boolean> {
  return (await zoneStore.head(completeKey(transfer))) !== undefined
}

export async function refuseCompleted(
  context: ServiceContext,
  transfer: TransferAddress,
): Promise<void> {
  if (await isCompleted(context, transfer))
    throw new Problem(
      409,
      'The transfer is completed',
      'Nothing can be added to it. Initiate a new transfer; name this one in `corrects` when completing it.',
    )
}

/** What complete.json says; undefined where there is none, or none that can be used. */
export async function readCompleted(
  { zoneStore }: Pick<ServiceContext, 'zoneStore'>,
  transfer: TransferAddress,
): Promise<Completion | undefined> {
  if (!(await isCompleted({ zoneStore }, transfer))) return undefined
  const read = readCompletion(
    await zoneStore.readWhole(completeKey(transfer), { maxBytes: COMPLETE_LIMIT_BYTES }),
  )
  return read.kind === 'valid' ? read.completion : undefined
}

export async function readRefused(
  { state }: Pick<ServiceContext, 'state'>,
  transfer: TransferAddress,
): Promise<Refused | undefined> {
  return readStateIfThere<Refused>(state, refusedKey(transfer))
}

export function completeKey(transfer: TransferAddress): string {
  return `${transferPrefix(transfer)}complete.json`
}

/** What arrived is counted, not what the sender says: a bucket takes whatever is put into it. */
async function refuseOverLimits(
  { zoneStore, state, config, now }: ServiceContext,
  transfer: TransferAddress,
): Promise<void> {
  const { limits } = config.service
  const root = transferPrefix(transfer)
  const errors: LimitError[] = []
  let records = 0
  let bytes = 0
  for await (const { key, sizeBytes } of zoneStore.list({ prefix: `${root}records/` })) {
    records++
    bytes += sizeBytes
    if (sizeBytes > limits.fileBytes && errors.length < SHOWN)
      errors.push({
        code: 'LIMIT.FILE_SIZE',
        message: `This file has ${number(sizeBytes)} bytes; at most ${number(limits.fileBytes)} are taken.`,
        key: key.slice(root.length),
      })
    if (records > limits.records) break // however many more there are
  }
  if (records > limits.records)
    errors.push({
      code: 'LIMIT.RECORDS',
      message: `There are more than ${count(limits.records, 'record', 'records')}. Send them in several transfers.`,
    })
  if (bytes > limits.transferBytes)
    errors.push({
      code: 'LIMIT.TRANSFER_SIZE',
      message: `The records have more than ${number(limits.transferBytes)} bytes together. Send them in several transfers.`,
    })
  if (errors.length === 0) return
  const refused: Refused = { at: now().toISOString(), errors }
  await mark(state, refusedKey(transfer), refused)
  throw new Problem(
    422,
    'The transfer is over a limit',
    `${errors[0]?.message ?? ''} It was not completed; initiate a new transfer.`,
    { errors },
  )
}

const SHOWN = 100

function number(value: number): string {
  return value.toLocaleString('en-GB')
}
