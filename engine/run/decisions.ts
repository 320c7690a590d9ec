import type { Store } from '../adapters/store.ts'
import type { Decision } from '../model/outcome.ts'
import type { Attempt } from '../model/transfer.ts'
import { claim, mark, readState, readStateIfThere } from './create-once.ts'
import { readDelivered, type Delivered } from './deliver.ts'
import { currentVersion, readIntake } from './process.ts'
import { driftSince } from './relist.ts'
import {
  attemptClaimKey,
  consignmentPrefix,
  decisionsPrefix,
  markerKey,
  recheckKey,
} from './state-layout.ts'
import type { TransferAddress } from '../model/transfer.ts'
import { chunksWithResult, readResult } from './check.ts'
import { planKey } from './state-layout.ts'
import type { Plan } from './plan.ts'

/** A request that cannot be carried out, in words for the person who made it. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

/** The newest attempt of a consignment. Throws Refusal where there is no such reference. */
export async function newestAttempt(state: Store, reference: string): Promise<Attempt> {
  if (!/^[A-Za-z0-9-]+$/.test(reference))
    throw new Refusal(`${JSON.stringify(reference)} is no consignment reference`)
  let newest: Attempt | undefined
  for (let number = 1; ; number++) {
    const transfer = await readStateIfThere<TransferAddress>(
      state,
      attemptClaimKey(reference, number),
    )
    if (transfer === undefined) break
    newest = { reference, number, transfer }
  }
  if (newest === undefined)
    throw new Refusal(
      `there is no consignment ${reference}; \`wharfinger report --list\` shows them all`,
    )
  return newest
}

export async function newestReport(
  state: Store,
  reports: Store,
  reference: string,
): Promise<{ attempt: Attempt; delivered: Delivered }> {
  const attempt = await newestAttempt(state, reference)
  for (let version = await currentVersion(state, attempt); version >= 1; version--) {
    const delivered = await readDelivered(reports, attempt, version)
    if (delivered !== undefined) return { attempt, delivered }
  }
  throw new Refusal(`${reference} has no report yet`)
}

export function reportDigest(delivered: Delivered): string {
  return delivered.files.find(({ name }) => name === 'report.json')?.sha256 ?? ''
}

export async function readDecisions(state: Store, attempt: Attempt): Promise<Decision[]> {
  const decisions: Decision[] = []
  for await (const { key } of state.list({ prefix: decisionsPrefix(attempt) }))
    decisions.push(await readState<Decision>(state, key))
  return decisions
}

export type DecisionRequest = {
  readonly kind: Decision['kind']
  readonly reference: string
  readonly who: string
  readonly why: string
  /** SHA-256 of the report.json the archivist read; refused where a newer report exists. */
  readonly reportDigest?: string
  readonly now: Date
}

/**
 * Record an archivist's decision, once. Accepting is refused while the report has something
 * unchecked, and where the drop zone no longer holds what the report is about.
 */
export async function decide(
  state: Store,
  reports: Store,
  zoneStoreOf: (attempt: Attempt) => Store,
  request: DecisionRequest,
): Promise<Decision> {
  const { attempt, delivered } = await newestReport(state, reports, request.reference)
  const digest = reportDigest(delivered)
  if (request.reportDigest !== undefined && !digest.startsWith(request.reportDigest)) {
    throw new Refusal(
      `a newer report of ${request.reference} exists (attempt ${attempt.number}, version ${delivered.reportVersion}): read it before deciding`,
    )
  }
  const earlier = await readDecisions(state, attempt)
  const same = earlier.find((decision) => decision.reportDigest === digest)
  if (same !== undefined) {
    throw new Refusal(
      `${request.reference} was already ${same.kind} by ${same.who} on ${same.when.slice(0, 10)}: ${same.why}`,
    )
  }
  if (request.kind === 'accepted') {
    if (delivered.verdict === 'NOT PROCESSED')
      throw new Refusal(
        `${request.reference} has files that could not be checked: run \`wharfinger recheck ${request.reference}\` first`,
      )
    const intake = await readIntake(state, attempt)
    if (intake?.taken.completion.metadataOnly === true)
      throw new Refusal(
        `${request.reference} is metadata alone, checked ahead of its records: there is nothing to accept`,
      )
    if (intake !== undefined) {
      for await (const drift of driftSince(zoneStoreOf(attempt), state, attempt, intake)) {
        throw new Refusal(
          `the drop zone has changed since ${request.reference} was sealed (${drift.key}): run \`wharfinger recheck ${request.reference}\` first`,
        )
      }
    }
  }
  const decision: Decision = {
    kind: request.kind,
    who: request.who,
    when: request.now.toISOString(),
    why: request.why,
    reportDigest: digest,
  }
  const key = `${decisionsPrefix(attempt)}${digest}.json`
  if (!(await claim(state, key, decision)).won) {
    throw new Refusal(`${request.reference} has just been decided by somebody else`)
  }
  await mark(state, markerKey(attempt.transfer, 'decided.json'), decision)
  return decision
}

/**
 * Take a decision back, or withdraw a consignment that was sent by mistake: recorded, never erased.
 */
export async function withdraw(
  state: Store,
  reference: string,
  request: { readonly who: string; readonly why: string; readonly now: Date },
): Promise<Attempt> {
  const attempt = await newestAttempt(state, reference)
  const record = {
    kind: 'withdrawn',
    who: request.who,
    why: request.why,
    when: request.now.toISOString(),
  }
  const key = `${consignmentPrefix(reference)}withdrawn.json`
  if (!(await claim(state, key, record)).won)
    throw new Refusal(`${reference} has been withdrawn already`)
  await mark(state, markerKey(attempt.transfer, 'decided.json'), record)
  return attempt
}

/**
 * Ask for the next report version: of what was unchecked, or of everything. The sender sends
 * nothing; the attempt stays the same.
 */
export async function requestRecheck(
  state: Store,
  reports: Store,
  reference: string,
  request: {
    readonly everything: boolean
    readonly who: string
    readonly why: string
    readonly now: Date
  },
): Promise<{ attempt: Attempt; version: number; chunks: number }> {
  const { attempt, delivered } = await newestReport(state, reports, reference)
  const version = delivered.reportVersion + 1
  const plan = await readState<Plan>(state, planKey(attempt))
  const chunks = request.everything
    ? plan.chunks.map(({ index }) => index)
    : await chunksWithGaps(state, attempt, plan, delivered.reportVersion)
  const record = { chunks, who: request.who, why: request.why, at: request.now.toISOString() }
  await mark(state, recheckKey(attempt, version), record)
  // Last, so that a sweep which sees it finds what to read.
  await mark(state, markerKey(attempt.transfer, `recheck-${version}.json`), { at: record.at })
  return { attempt, version, chunks: chunks.length }
}

async function chunksWithGaps(
  state: Store,
  attempt: Attempt,
  plan: Plan,
  version: number,
): Promise<number[]> {
  const newest = new Map<number, number>()
  for (let one = 1; one <= version; one++)
    for (const chunk of await chunksWithResult(state, attempt, one)) newest.set(chunk, one)
  const gaps: number[] = []
  for (const { index } of plan.chunks) {
    const { files } = await readResult(state, attempt, newest.get(index) ?? version, index)
    if (
      files.some(({ outcomes }) => Object.values(outcomes).some(({ kind }) => kind === 'unchecked'))
    )
      gaps.push(index)
  }
  return gaps
}
