import { createHash } from 'node:crypto'
import type { Store } from '../adapters/store.ts'
import { StoreError } from '../adapters/store.ts'
import { compareKeys } from '../model/key-order.ts'
import { HANDED_OVER_TAG } from '../model/tags.ts'
import type { SourceDocument } from '../model/source.ts'
import { transferPrefix, type Attempt } from '../model/transfer.ts'
import { ExternalSort } from '../scratch/external-sort.ts'
import { recogniseSource } from '../sources/index.ts'
import { isExcludedName } from '../../jobs/excluded-names.ts'
import { claim, readStateIfThere } from './create-once.ts'
import { newestReport, readDecisions, Refusal, reportDigest } from './decisions.ts'
import { newestResults, readIntake } from './process.ts'
import { driftSince } from './relist.ts'
import { handoverKey } from './state-layout.ts'

/** That the keeper of the records has them, proved by its digests being ours. Recorded once. */
export type Handover = {
  readonly reference: string
  readonly attempt: number
  /** Of the report that was accepted. */
  readonly reportDigest: string
  /** SHA-256 of the receipt: what the keeper says it holds. */
  readonly receiptSha256: string
  readonly files: number
  readonly who: string
  readonly why: string
  readonly when: string
}

export type HandoverRequest = {
  readonly reference: string
  /** A manifest with a SHA-256 for each record, of any kind that senders' manifests may have. */
  readonly receipt: SourceDocument
  readonly who: string
  readonly why: string
  readonly now: Date
  readonly scratch: string
}

const NAMED = 5

/**
 * Record that an accepted consignment lies where it is to be kept: every record is in the receipt
 * with the SHA-256 that we computed. Throws Refusal with what is missing or differs. Nothing but
 * this record may ever lead to records being expired.
 */
export async function recordHandover(
  state: Store,
  reports: Store,
  request: HandoverRequest,
): Promise<{ readonly attempt: Attempt; readonly handover: Handover }> {
  const { reference } = request
  const { attempt, delivered } = await newestReport(state, reports, reference)
  const digest = reportDigest(delivered)
  const before = await readStateIfThere<Handover>(state, handoverKey(attempt))
  if (before !== undefined) return { attempt, handover: before }
  const decision = (await readDecisions(state, attempt)).find((one) => one.reportDigest === digest)
  if (decision?.kind !== 'accepted')
    throw new Refusal(
      `${reference} has not been accepted as its newest report describes it: \`wharfinger accept\` comes first`,
    )
  const { files, receiptSha256 } = await compareWithReceipt(state, attempt, request)
  const { value } = await claim<Handover>(state, handoverKey(attempt), {
    reference,
    attempt: attempt.number,
    reportDigest: digest,
    receiptSha256,
    files,
    who: request.who,
    why: request.why,
    when: request.now.toISOString(),
  })
  if (value.receiptSha256 !== receiptSha256)
    throw new Refusal(`${reference} has just been handed over with another receipt`)
  return { attempt, handover: value }
}

async function compareWithReceipt(
  state: Store,
  attempt: Attempt,
  { receipt, scratch }: HandoverRequest,
): Promise<{ readonly files: number; readonly receiptSha256: string }> {
  const kind = recogniseSource(receipt)
  if (kind === undefined)
    throw new Refusal(`${receipt.key} is no manifest that is known: sha256sum writes a good one`)
  const ours = new ExternalSort(scratch)
  const theirs = new ExternalSort(scratch)
  try {
    for await (const { path, checksums } of kind.read(receipt, () => undefined)) {
      const sha256 = checksums.find(({ algorithm }) => algorithm === 'sha256')
      if (sha256 !== undefined) theirs.add(plainPath(path), sha256.value)
    }
    const intake = await readIntake(state, attempt)
    const excluded = intake?.rules.settings.excludedNames ?? []
    for await (const { path, digests } of newestResults(state, attempt))
      if (!isExcludedName(path, excluded)) ours.add(path, digests.sha256 ?? '')
    const wrong: string[] = []
    let missing = 0
    let different = 0
    const held = theirs.sorted()
    let next = held.next()
    for (const { sortKey: path, line: sha256 } of ours.sorted()) {
      while (next.done !== true && compareKeys(next.value.sortKey, path) < 0) next = held.next()
      const there = next.done !== true && next.value.sortKey === path
      if (there && next.value.line === sha256) continue
      if (there) different++
      else missing++
      if (wrong.length < NAMED) wrong.push(`${path} ${there ? 'differs' : 'is not in it'}`)
    }
    if (wrong.length > 0)
      throw new Refusal(
        `the receipt does not prove it: of ${ours.count} records ${missing} are not in it and ${different} differ (${wrong.join('; ')})`,
      )
    const hash = createHash('sha256')
    for await (const piece of receipt.open()) hash.update(piece)
    return { files: ours.count, receiptSha256: hash.digest('hex') }
  } finally {
    ours.dispose()
    theirs.dispose()
  }
}

/** Keepers name records from their own top: below `records/`, or `data/` of a bag. */
function plainPath(path: string): string {
  return path.replace(/^\.\//, '').replace(/^(?:records|data)\//, '')
}

/**
 * Mark every record of a handed-over attempt in the drop zone, so that the bucket may expire it.
 * Refused where the drop zone holds anything else than what was sealed. May be done again.
 */
export async function markHandedOver(
  state: Store,
  zoneStore: Store,
  attempt: Attempt,
): Promise<number> {
  const intake = await readIntake(state, attempt)
  if (intake === undefined) throw new Error('bug: handed over and not sealed')
  for await (const { key } of driftSince(zoneStore, state, attempt, intake))
    throw new Refusal(
      `the drop zone has changed since ${attempt.reference} was sealed (${key}): nothing was marked`,
    )
  const prefix = transferPrefix(attempt.transfer)
  let marked = 0
  for await (const { key, etag } of zoneStore.list({ prefix: `${prefix}records/` })) {
    try {
      await zoneStore.addTag(key, HANDED_OVER_TAG, { etag })
    } catch (error) {
      if (error instanceof StoreError && error.reason === 'unrepresentable')
        throw new Refusal('a folder has no tags: only records in a bucket are marked')
      throw error
    }
    marked++
  }
  return marked
}
