import { readStateIfThere } from '../run/create-once.ts'
import type { TransferAddress } from '../model/transfer.ts'
import { initiatedKey } from '../run/state-layout.ts'
import type { ServiceContext } from './context.ts'
import { notFound } from './problem.ts'

/** A transfer begun through the service. Written once. */
export type Initiated = {
  readonly transfer: TransferAddress
  /** The consignment reference it will have; a correction takes over that of what it corrects. */
  readonly reference: string
  readonly initiatedAt: string
  readonly by: string
}

/** Throws Problem 404 where nobody began it. */
export async function findInitiated(
  { state }: Pick<ServiceContext, 'state'>,
  transfer: TransferAddress,
): Promise<Initiated> {
  const initiated = await readStateIfThere<Initiated>(state, initiatedKey(transfer))
  if (initiated === undefined) throw notFound(`transfer ${transfer.transferId}`)
  return initiated
}
