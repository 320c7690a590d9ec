import type { Store } from '../adapters/store.ts'
import { StoreError } from '../adapters/store.ts'
import { completionNumber, readCompletion, type ReadCompletion } from '../flow/completion.ts'
import { consignmentReference, isAcceptableReference } from '../flow/reference.ts'
import { sameTransfer } from '../flow/discover.ts'
import {
  transferPrefix,
  type Attempt,
  type Completion,
  type TransferAddress,
} from '../model/transfer.ts'
import type { Finding } from '../model/finding.ts'
import { claim, readStateIfThere } from './create-once.ts'
import {
  STATE_VERSION,
  attemptClaimKey,
  markerKey,
  referenceClaimKey,
  referenceClaims,
  suppliedReferenceKey,
} from './state-layout.ts'

const COMPLETE_LIMIT_BYTES = 1024 * 1024

/** The marker that a transfer has been taken: which attempt of which consignment it is. */
export type Taken = {
  readonly stateVersion: number
  readonly reference: string
  readonly attempt: number
  readonly completion: Completion
  /** The attempt whose files carry over; set on corrections. */
  readonly base?: { readonly attempt: number; readonly transfer: TransferAddress }
  /** About complete.json and the correction. */
  readonly findings: readonly Finding[]
  readonly takenAt: string
}

export function attemptOf(taken: Taken, transfer: TransferAddress): Attempt {
  return { reference: taken.reference, number: taken.attempt, transfer }
}

/**
 * Take a complete transfer: give it its consignment reference and attempt number, for ever.
 * Whoever calls first decides; all others get the same answer.
 */
export async function takeTransfer(
  zoneStore: Store,
  state: Store,
  transfer: TransferAddress,
  options: { readonly referencePrefix: string; readonly now: Date },
): Promise<Taken> {
  const key = markerKey(transfer, 'taken.json')
  const before = await readStateIfThere<Taken>(state, key)
  if (before !== undefined) return before
  const read = await newestCompletion(zoneStore, transfer)
  const completion: Completion =
    read?.kind === 'valid' ? read.completion : { loadErrors: [], remove: [], metadataOnly: false }
  const findings: Finding[] =
    read?.kind === 'invalid'
      ? read.problems.map((problem) => ({ code: 'TRANSFER.COMPLETE_INVALID', detail: problem }))
      : []
  const base =
    completion.corrects === undefined
      ? undefined
      : await findCorrected(state, transfer, completion.corrects)
  if (completion.corrects !== undefined && base === undefined) {
    findings.push({ code: 'CORRECTION.UNKNOWN_TRANSFER', value: completion.corrects })
  }
  const reference =
    base?.reference ?? (await referenceFor(state, transfer, completion.reference, options))
  const attempt = await claimAttempt(
    state,
    reference,
    transfer,
    base === undefined ? 1 : base.attempt + 1,
  )
  if (base !== undefined && attempt !== base.attempt + 1) {
    findings.push({ code: 'CORRECTION.NOT_LATEST', value: completion.corrects ?? '' })
  }
  const taken: Taken = {
    stateVersion: STATE_VERSION,
    reference,
    attempt,
    completion,
    ...(base === undefined
      ? {}
      : {
          base: {
            attempt: base.attempt,
            transfer: { ...transfer, transferId: completion.corrects ?? '' },
          },
        }),
    findings,
    takenAt: options.now.toISOString(),
  }
  return (await claim(state, key, taken)).value
}

/** The highest numbered completion object, read; undefined where there is none (quiet-period zones). */
export async function newestCompletion(
  zoneStore: Store,
  transfer: TransferAddress,
): Promise<ReadCompletion | undefined> {
  const prefix = transferPrefix(transfer)
  let newest: { name: string; number: number } | undefined
  for await (const { kind, name } of zoneStore.listLevel(prefix)) {
    const number = kind === 'object' ? completionNumber(name) : undefined
    if (number !== undefined && number > (newest?.number ?? 0)) newest = { name, number }
  }
  if (newest === undefined) return undefined
  try {
    return readCompletion(
      await zoneStore.readWhole(prefix + newest.name, { maxBytes: COMPLETE_LIMIT_BYTES }),
    )
  } catch (error) {
    if (error instanceof StoreError && error.reason === 'tooLarge') {
      return { kind: 'invalid', problems: ['it is larger than 1 MiB'] }
    }
    throw error
  }
}

async function findCorrected(
  state: Store,
  transfer: TransferAddress,
  corrects: string,
): Promise<{ reference: string; attempt: number } | undefined> {
  if (
    corrects.includes('/') ||
    corrects === '.' ||
    corrects === '..' ||
    corrects === transfer.transferId
  )
    return undefined
  return readStateIfThere<Taken>(
    state,
    markerKey({ ...transfer, transferId: corrects }, 'taken.json'),
  )
}

async function referenceFor(
  state: Store,
  transfer: TransferAddress,
  supplied: string | undefined,
  options: { readonly referencePrefix: string; readonly now: Date },
): Promise<string> {
  if (supplied !== undefined && isAcceptableReference(supplied)) {
    const claimed = await claim(state, suppliedReferenceKey(supplied), transfer)
    if (claimed.won || sameTransfer(claimed.value, transfer)) return supplied
  }
  return allocateReference(state, transfer, options)
}

/**
 * The next free reference of the year. There is no counter to lose: the last claim is found by a
 * galloping and then halving search of "is anything claimed after n?", one listing page each,
 * and the next one is claimed by whoever creates it. A race leaves no gap; a kill may.
 */
export async function allocateReference(
  state: Store,
  transfer: TransferAddress,
  options: { readonly referencePrefix: string; readonly now: Date },
): Promise<string> {
  const year = options.now.getUTCFullYear()
  const anyAfter = (sequence: number) =>
    anyClaimAfter(state, options.referencePrefix, year, sequence)
  for (let sequence = await lastClaimed(anyAfter); ;) {
    sequence++
    const { won } = await claim(
      state,
      referenceClaimKey(options.referencePrefix, year, sequence),
      transfer,
    )
    if (won) return consignmentReference(options.referencePrefix, year, BigInt(sequence))
  }
}

/** The greatest n that is claimed, or 0: with `anyAfter(n)` true for every n below it. */
export async function lastClaimed(
  anyAfter: (sequence: number) => Promise<boolean>,
): Promise<number> {
  let low = 0
  if (!(await anyAfter(low))) return 0
  let step = 1
  while (await anyAfter(low + step)) {
    low += step
    step *= 2
  }
  let high = low + step
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2)
    if (await anyAfter(middle)) low = middle
    else high = middle
  }
  return high
}

async function anyClaimAfter(
  state: Store,
  prefix: string,
  year: number,
  sequence: number,
): Promise<boolean> {
  const startAfter = referenceClaimKey(prefix, year, sequence)
  for await (const _claim of state.list({ prefix: referenceClaims(prefix, year), startAfter }))
    return true
  return false
}

async function claimAttempt(
  state: Store,
  reference: string,
  transfer: TransferAddress,
  from: number,
): Promise<number> {
  for (let attempt = from; ; attempt++) {
    const claimed = await claim(state, attemptClaimKey(reference, attempt), transfer)
    if (claimed.won || sameTransfer(claimed.value, transfer)) return attempt
  }
}
