import { mkdtemp, rm } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Store } from '../adapters/store.ts'
import { frozenRules, type DropZone, type EngineConfig } from '../config.ts'
import type { Chunk } from '../flow/chunk.ts'
import { decideVerdict } from '../flow/verdict.ts'
import type { Outcome } from '../model/outcome.ts'
import type { StoreAddress } from '../pool/messages.ts'
import type { Attempt, TransferAddress } from '../model/transfer.ts'
import type { CheckPool } from '../pool/pool.ts'
import { jobs } from '../../jobs/index.ts'
import { ENGINE_VERSION, RULE_SET_VERSION } from '../version.ts'
import { checkMetadata, type MetadataResult } from './check-metadata.ts'
import { checkAttempt, chunksWithResult, readResult, type ChunkOptions } from './check.ts'
import { mark, readState, readStateIfThere } from './create-once.ts'
import {
  announceDelivery,
  deliverReport,
  readDelivered,
  writeStatus,
  type Delivered,
} from './deliver.ts'
import { mergeAttempt, type Merged } from './merge.ts'
import { planAttempt, type Plan } from './plan.ts'
import { sealAttempt, type Intake } from './seal.ts'
import { intakeKey, markerKey, planKey, recheckKey } from './state-layout.ts'
import { attemptOf, takeTransfer, type Taken } from './take.ts'
import type { CheckedFile } from '../pool/messages.ts'

/** Everything a run works with, opened once by the command that runs it. */
export type Engine = {
  readonly config: EngineConfig
  readonly state: Store
  readonly reports: Store
  readonly pool: CheckPool
  readonly now: () => Date
  readonly signal: AbortSignal
}

export type Progress =
  | {
      readonly kind: 'sealed'
      readonly attempt: Attempt
      readonly files: number
      readonly bytes: number
    }
  | {
      readonly kind: 'checked'
      readonly attempt: Attempt
      readonly files: number
      readonly bytes: number
    }
  | { readonly kind: 'merging'; readonly attempt: Attempt }

export type ProcessOptions = {
  /** Report what cannot be checked now, instead of trying again at the next sweep. */
  readonly reportNow: boolean
  readonly onProgress?: (progress: Progress) => void
}

export type ProcessEnd =
  | { readonly kind: 'delivered'; readonly attempt: Attempt; readonly delivered: Delivered }
  | { readonly kind: 'to be tried again'; readonly attempt: Attempt }
  | { readonly kind: 'stopped'; readonly attempt: Attempt }

/** A transfer that was taken, sealed and planned, and has no report of this version yet. */
export type OpenAttempt = {
  readonly attempt: Attempt
  readonly intake: Intake
  readonly plan: Plan
  /** Where a worker opens the drop zone. */
  readonly zoneAddress: StoreAddress
  /** Whether an earlier run got as far as planning it. */
  readonly resumed: boolean
  /** The report version in progress. */
  readonly version: number
  /** What this version reads: every chunk, or after a recheck those that were asked for. */
  readonly chunks: readonly Chunk[]
}

/**
 * Take one complete transfer through to its report: seal, plan, check, merge, deliver. Begins
 * wherever an earlier run was cut off; a transfer that has its report is left alone.
 */
export async function processTransfer(
  engine: Engine,
  zone: DropZone,
  zoneStore: Store,
  transfer: TransferAddress,
  options: ProcessOptions,
): Promise<ProcessEnd> {
  const opened = await openTransfer(engine, zone, zoneStore, transfer)
  if (opened.kind === 'delivered') return opened
  const { attempt, intake } = opened
  options.onProgress?.({ kind: 'sealed', attempt, files: intake.files, bytes: intake.bytes })
  const end = await checkAttempt(attempt, intake, {
    ...checkOptions(engine, zone, opened, options.reportNow),
    threads: engine.config.threads,
    chunks: opened.chunks,
    onProgress: (done) => options.onProgress?.({ kind: 'checked', attempt, ...done }),
  })
  if (end === 'stopped') return { kind: 'stopped', attempt }
  if (end === 'some to be tried again') return { kind: 'to be tried again', attempt }
  options.onProgress?.({ kind: 'merging', attempt })
  const delivered = await concludeAttempt(engine, zoneStore, opened)
  return { kind: 'delivered', attempt, delivered }
}

/** The steps before the first byte is checked: take, seal, plan. */
export async function openTransfer(
  engine: Engine,
  zone: DropZone,
  zoneStore: Store,
  transfer: TransferAddress,
): Promise<Extract<ProcessEnd, { kind: 'delivered' }> | ({ readonly kind: 'open' } & OpenAttempt)> {
  const { state, reports, config } = engine
  const taken = await takeTransfer(zoneStore, state, transfer, {
    referencePrefix: config.referencePrefix,
    now: engine.now(),
  })
  const attempt = attemptOf(taken, transfer)
  const version = await currentVersion(state, attempt)
  const delivered = await readDelivered(reports, attempt, version)
  if (delivered !== undefined) {
    await announceDelivery(attempt, delivered, { state, reports })
    return { kind: 'delivered', attempt, delivered }
  }
  const intake = await withScratch(engine, (scratch) =>
    seal(engine, zone, zoneStore, attempt, taken, scratch),
  )
  const { plan, resumed } = await planAttempt(state, attempt, intake, config.chunk)
  const chunks = version === 1 ? plan.chunks : await chunksToRecheck(state, attempt, plan, version)
  return {
    kind: 'open',
    attempt,
    intake,
    plan,
    zoneAddress: zone.store,
    resumed,
    version,
    chunks,
  }
}

/** What checking any chunk of an attempt needs. */
export function checkOptions(
  { config, state, pool, now, signal }: Engine,
  zone: DropZone,
  { version, resumed }: Pick<OpenAttempt, 'version' | 'resumed'>,
  reportNow: boolean,
): ChunkOptions {
  return {
    state,
    stateAddress: config.state,
    zoneAddress: zone.store,
    pool,
    limits: config.read,
    version,
    resumed,
    retryUncheckedHours: reportNow ? 0 : config.retryUncheckedHours,
    retryPendingHours: reportNow ? 0 : config.malwareWaitMinutes / 60,
    now,
    signal,
  }
}

/** The steps after the last result: merge, report, deliver. */
export async function concludeAttempt(
  engine: Engine,
  zoneStore: Store,
  opened: OpenAttempt,
): Promise<Delivered> {
  const { state, reports } = engine
  const delivered = await withScratch(engine, (scratch) =>
    report(engine, zoneStore, opened, scratch),
  )
  await announceDelivery(opened.attempt, delivered, { state, reports })
  return delivered
}

async function withScratch<T>(engine: Engine, use: (folder: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(engine.config.scratch, 'wharfinger-'))
  try {
    return await use(scratch)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function seal(
  engine: Engine,
  zone: DropZone,
  zoneStore: Store,
  attempt: Attempt,
  taken: Taken,
  scratch: string,
): Promise<Intake> {
  const { state, reports, config } = engine
  const rules = frozenRules(zone, config)
  const { completion } = taken
  const transferringBody = completion.transferringBody ?? zone.transferringBody
  const series = completion.series ?? zone.series
  const contact = completion.contact ?? zone.contact
  const intake = await sealAttempt(attempt, taken, {
    zoneStore,
    state,
    scratch,
    rules: {
      ...rules,
      ...(transferringBody === undefined ? {} : { transferringBody }),
      ...(series === undefined ? {} : { series }),
      ...(contact === undefined ? {} : { contact }),
    },
    engineVersion: ENGINE_VERSION,
    ruleSetVersion: RULE_SET_VERSION,
    now: engine.now(),
    baseResults: (base) => newestResults(state, base),
  })
  await mark(state, markerKey(attempt.transfer, 'sealed.json'), { sealedAt: intake.sealedAt })
  await writeStatus(reports, attempt, { status: 'InProgress' })
  return intake
}

/** The report version in progress or delivered last: one more than the number of rechecks asked for. */
export async function currentVersion(state: Store, attempt: Attempt): Promise<number> {
  let version = 1
  while ((await state.head(recheckKey(attempt, version + 1))) !== undefined) version++
  return version
}

/** What a recheck was asked to read again: every chunk, or those with something unchecked. */
async function chunksToRecheck(
  state: Store,
  attempt: Attempt,
  plan: Plan,
  version: number,
): Promise<readonly Chunk[]> {
  const { chunks } = await readState<{ chunks: readonly number[] | 'all' }>(
    state,
    recheckKey(attempt, version),
  )
  return chunks === 'all' ? plan.chunks : plan.chunks.filter(({ index }) => chunks.includes(index))
}

/** For each chunk the newest report version, up to `version`, that read it. */
async function resultVersions(
  state: Store,
  attempt: Attempt,
  version: number,
): Promise<(chunk: number) => number> {
  const newest = new Map<number, number>()
  for (let one = 1; one <= version; one++) {
    for (const chunk of await chunksWithResult(state, attempt, one)) newest.set(chunk, one)
  }
  return (chunk) => newest.get(chunk) ?? version
}

/** Every file of an attempt as last checked, in inventory order. */
export async function* newestResults(state: Store, attempt: Attempt): AsyncGenerator<CheckedFile> {
  const plan = await readState<Plan>(state, planKey(attempt))
  const versionOf = await resultVersions(state, attempt, await currentVersion(state, attempt))
  for (const { index } of plan.chunks)
    yield* (await readResult(state, attempt, versionOf(index), index)).files
}

async function report(
  engine: Engine,
  zoneStore: Store,
  { attempt, intake, plan, zoneAddress, version }: OpenAttempt,
  scratch: string,
): Promise<Delivered> {
  const { state, reports, pool } = engine
  const metadata = await checkMetadata(attempt, intake, { state, zoneAddress, pool, scratch })
  const merged = await mergeAttempt(attempt, intake, plan, {
    metadata,
    zoneStore,
    state,
    scratch,
    version,
    resultVersion: await resultVersions(state, attempt, version),
  })
  try {
    const outcome = await concludeOutcome(engine, attempt, intake, merged, version, metadata)
    return await deliverReport(attempt, outcome, merged.tables, {
      state,
      reports,
      scratch,
      now: engine.now(),
    })
  } finally {
    merged.dispose()
  }
}

async function concludeOutcome(
  engine: Engine,
  attempt: Attempt,
  intake: Intake,
  merged: Merged,
  version: number,
  metadata: MetadataResult | undefined,
): Promise<Outcome> {
  const findings = merged.tally.findingGroups()
  const unchecked = merged.tally.uncheckedGroups()
  const rows = merged.tally.checkRows()
  const decided = decideVerdict({
    uncheckedCount: unchecked.reduce((sum, { count }) => sum + count, 0),
    groups: findings,
    requiredNotConfigured: intake.rules.required.filter((check) =>
      rows.some((row) => row.check === check && row.tally.notConfigured > 0),
    ),
  })
  const sinceLastAttempt = await attemptChanges(engine, attempt, intake, findings)
  const { transferringBody, series, contact } = intake.rules
  return {
    reference: attempt.reference,
    attempt: attempt.number,
    reportVersion: version,
    ...decided,
    transfer: {
      ...attempt.transfer,
      ...(transferringBody === undefined ? {} : { transferringBody }),
      ...(series === undefined ? {} : { series }),
      ...(contact === undefined ? {} : { contact }),
    },
    totals: merged.totals,
    checks: rows,
    findings,
    unchecked,
    reconciliation: merged.tally.reconciliation(),
    sources: intake.sources,
    ...(metadata === undefined ? {} : { metadata: metadata.profile }),
    ...(sinceLastAttempt === undefined ? {} : { sinceLastAttempt }),
    provenance: {
      engineVersion: intake.engineVersion,
      ruleSetVersion: intake.ruleSetVersion,
      configurationDigest: intake.rules.digest,
      inventoryDigest: intake.inventoryDigest,
      jobs: Object.keys(jobs),
      algorithms: merged.tally.algorithms(),
    },
    run: { runId: randomUUID(), sealedAt: intake.sealedAt, mergedAt: engine.now().toISOString() },
  }
}

/** What changed since the attempt that this one corrects. */
async function attemptChanges(
  engine: Engine,
  attempt: Attempt,
  intake: Intake,
  findings: Outcome['findings'],
): Promise<Outcome['sinceLastAttempt']> {
  const { base } = intake.taken
  if (base === undefined || intake.changes === undefined) return undefined
  const earlier: Attempt = {
    reference: attempt.reference,
    number: base.attempt,
    transfer: base.transfer,
  }
  const delivered = await readDelivered(
    engine.reports,
    earlier,
    await currentVersion(engine.state, earlier),
  )
  const before = new Map((delivered?.counts.findings ?? []).map(({ code, count }) => [code, count]))
  const now = new Map(findings.map(({ code, count }) => [code, count]))
  return {
    previousAttempt: base.attempt,
    ...intake.changes,
    findings: [...new Set([...before.keys(), ...now.keys()])].sort().map((code) => ({
      code,
      before: before.get(code) ?? 0,
      now: now.get(code) ?? 0,
    })),
  }
}

export async function readIntake(state: Store, attempt: Attempt): Promise<Intake | undefined> {
  return readStateIfThere<Intake>(state, intakeKey(attempt))
}
