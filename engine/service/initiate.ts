import { createHash, randomUUID } from 'node:crypto'
import type { TransferAddress } from '../model/transfer.ts'
import { claim, readStateIfThere } from '../run/create-once.ts'
import {
  initiatedKey,
  initiatedPrefix,
  repeatKey,
  suppliedReferenceKey,
} from '../run/state-layout.ts'
import { allocateReference } from '../run/take.ts'
import { refuseCompleted } from './complete.ts'
import { findInitiated, type Initiated } from './initiated.ts'
import type { ServiceContext } from './context.ts'
import { Problem } from './problem.ts'

/** Begin a transfer of `integrator` from `source`. A `repeat` key begins it once, however often it is sent. */
export async function initiateTransfer(
  context: ServiceContext,
  request: {
    readonly integrator: string
    readonly source: string
    readonly by: string
    readonly repeat?: string
  },
): Promise<Initiated> {
  const { state, zone } = context
  const { integrator, source } = request
  const fresh: TransferAddress = { zone: zone.name, integrator, source, transferId: randomUUID() }
  if (request.repeat === undefined) return write(context, fresh, request.by)
  const digest = createHash('sha256').update(request.repeat).digest('hex')
  const { value: transfer } = await claim(state, repeatKey(integrator, digest), fresh)
  if (transfer.source !== source)
    throw new Problem(
      422,
      'The Idempotency-Key was used before',
      `It began a transfer from ${transfer.source}; use a new key for one from ${source}.`,
    )
  return write(context, transfer, request.by)
}

/** Go on with a transfer that was begun and not completed. */
export async function resumeTransfer(
  context: ServiceContext,
  transfer: TransferAddress,
): Promise<Initiated> {
  const initiated = await findInitiated(context, transfer)
  await refuseCompleted(context, transfer)
  return initiated
}

/** Two requests at once with one key write the same transfer; the first one's reference holds. */
async function write(
  context: ServiceContext,
  transfer: TransferAddress,
  by: string,
): Promise<Initiated> {
  const { state, config, now } = context
  const before = await readStateIfThere<Initiated>(state, initiatedKey(transfer))
  if (before !== undefined) return before
  const initiated: Initiated = {
    transfer,
    reference: await ownReference(context, transfer, config.referencePrefix),
    initiatedAt: now().toISOString(),
    by,
  }
  return (await claim(state, initiatedKey(transfer), initiated)).value
}

/** Claimed as one that the sender states too, so that nobody else can state it in a complete.json. */
async function ownReference(
  { state, now }: ServiceContext,
  transfer: TransferAddress,
  referencePrefix: string,
): Promise<string> {
  for (;;) {
    const reference = await allocateReference(state, transfer, { referencePrefix, now: now() })
    if ((await claim(state, suppliedReferenceKey(reference), transfer)).won) return reference
  }
}

export type InitiatedPage = {
  readonly transfers: readonly Initiated[]
  readonly cursor?: string
}

/** An integrator's transfers, in order of their addresses; a cursor is `source/transferId`. */
export async function listInitiated(
  { state, zone }: ServiceContext,
  integrator: string,
  options: { readonly limit: number; readonly cursor?: string },
): Promise<InitiatedPage> {
  const prefix = initiatedPrefix({ zone: zone.name, integrator })
  const keys: string[] = []
  const after =
    options.cursor === undefined ? {} : { startAfter: `${prefix}${options.cursor}.json` }
  for await (const { key } of state.list({ prefix, ...after })) {
    keys.push(key)
    if (keys.length > options.limit) break
  }
  const page = keys.slice(0, options.limit)
  const read = await Promise.all(page.map((key) => readStateIfThere<Initiated>(state, key)))
  const last = page.at(-1)
  return {
    transfers: read.filter((one) => one !== undefined),
    ...(keys.length > page.length && last !== undefined
      ? { cursor: last.slice(prefix.length, -'.json'.length) }
      : {}),
  }
}
