import type { Decision } from '../model/outcome.ts'
import type { TransferFacts } from '../model/outcome.ts'
import { newestAttempt, readDecisions } from '../run/decisions.ts'
import { readDelivered, type Delivered } from '../run/deliver.ts'
import { currentVersion } from '../run/process.ts'
import { readStateIfThere } from '../run/create-once.ts'
import { markerKey } from '../run/state-layout.ts'
import type { Taken } from '../run/take.ts'
import type { ServiceContext } from './context.ts'
import { mayRead, type Principal } from './principal.ts'
import { notFound } from './problem.ts'

/** One consignment's newest attempt, its newest report and what was decided about it. */
export type ConsignmentDetail = {
  readonly reference: string
  readonly attempt: number
  readonly transfer: TransferFacts
  readonly delivered?: Delivered
  readonly decisions: readonly Decision[]
}

/** Throws Problem 404 for one that is not there and for one that `principal` may not see. */
export async function readConsignment(
  { state, reports }: Pick<ServiceContext, 'state' | 'reports'>,
  reference: string,
  principal: Principal,
): Promise<ConsignmentDetail> {
  const attempt = await newestAttempt(state, reference).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'Refusal') throw notFound('such consignment')
    throw error
  })
  let delivered: Delivered | undefined
  for (let version = await currentVersion(state, attempt); version >= 1; version--) {
    delivered = await readDelivered(reports, attempt, version)
    if (delivered !== undefined) break
  }
  const transfer = delivered?.transfer ?? {
    ...attempt.transfer,
    ...stated(await readStateIfThere<Taken>(state, markerKey(attempt.transfer, 'taken.json'))),
  }
  if (!mayRead(principal, transfer)) throw notFound('such consignment')
  return {
    reference,
    attempt: attempt.number,
    transfer,
    ...(delivered === undefined ? {} : { delivered }),
    decisions: await readDecisions(state, attempt),
  }
}

function stated(taken: Taken | undefined): Pick<TransferFacts, 'transferringBody' | 'series'> {
  const { transferringBody, series } = taken?.completion ?? {}
  return {
    ...(transferringBody === undefined ? {} : { transferringBody }),
    ...(series === undefined ? {} : { series }),
  }
}
