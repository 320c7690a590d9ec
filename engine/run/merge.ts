import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { Store } from '../adapters/store.ts'
import { ConsignmentTally } from '../flow/consignment-tally.ts'
import { fileRow, judgeFile, type RowContext, type Surroundings } from '../flow/file-row.ts'
import { matchKey } from '../flow/match-key.ts'
import type { MissingFile } from '../flow/match.ts'
import { redactedStem } from '../flow/redaction-pairs.ts'
import { FolderCounter, TotalsCounter } from '../flow/totals.ts'
import type { CheckId } from '../model/code-facts.ts'
import { codes } from '../model/codes.ts'
import type { Finding, Unchecked } from '../model/finding.ts'
import type { FileRow, OutcomeTables, Totals } from '../model/outcome.ts'
import type { Attempt } from '../model/transfer.ts'
import { TallySum } from '../pool/job-tallies.ts'
import type { JobTallies } from '../pool/messages.ts'
import { filesCsvHeader, filesCsvRows } from '../report/csv.ts'
import { ExternalSort } from '../scratch/external-sort.ts'
import { isExcludedName } from '../../jobs/excluded-names.ts'
import { jobs } from '../../jobs/index.ts'
import { reportClashes, reportDuplicates } from './across-files.ts'
import type { MetadataResult } from './check-metadata.ts'
import { checkedChunks, type Results } from './checked-files.ts'
import { readParts } from './parts.ts'
import type { Plan } from './plan.ts'
import { reportRedactions } from './redactions.ts'
import { relistOnce, type Drift } from './relist.ts'
import { findRenames } from './renames.ts'
import type { Intake } from './seal.ts'

/** Everything the report is made of but the verdict: figures that fit in memory, tables that may not. */
export type Merged = {
  readonly totals: Totals
  readonly tally: ConsignmentTally
  readonly tables: OutcomeTables
  /** Drop zone objects that came after sealing. */
  readonly added: number
  dispose(): void
}

export type MergeOptions = Results & {
  readonly zoneStore: Store
  /** A private folder that the caller removes. */
  readonly scratch: string
  readonly version: number
  readonly metadata: MetadataResult | undefined
}

const ROWS_PER_WRITE = 1000
const METADATA_CHECKS: ReadonlySet<CheckId> = new Set(['metadata', 'reconciliation'])

/**
 * Merge all results of one attempt, in inventory order, whatever order they were written in.
 * Memory is the same for a thousand files and for ten million: long tables go through scratch.
 */
export async function mergeAttempt(
  attempt: Attempt,
  intake: Intake,
  plan: Plan,
  options: MergeOptions,
): Promise<Merged> {
  const { state, scratch } = options
  const drift = await relistOnce(options.zoneStore, state, attempt, intake, options.version)
  const relisted = new Map(drift.filter(isAboutSealed).map(({ key, code }) => [key, code]))
  const tally = new ConsignmentTally(intake.lists)
  const findings = new ExternalSort(scratch)
  const unchecked = new ExternalSort(scratch)
  const contents = new ExternalSort(scratch)
  const names = new ExternalSort(scratch)
  const byPath = options.metadata === undefined ? undefined : new ExternalSort(scratch)
  const addFinding = (finding: Finding) => {
    const key = findingKey(finding)
    findings.add(key, JSON.stringify(finding))
    if (METADATA_CHECKS.has(codes[finding.code].check))
      byPath?.add(`${finding.path ?? ''}\0${key}`, JSON.stringify(finding))
  }
  const found = (finding: Finding) => {
    tally.addFinding(finding)
    addFinding(finding)
  }
  for await (const note of readParts<Finding>(state, attempt, 'notes', intake.notes.length))
    found(note)
  if (options.metadata !== undefined) {
    const { metadata } = options
    tally.addMetadataRows(metadata)
    const lines = readParts<Finding>(state, attempt, 'metadata', metadata.findings.length)
    for await (const finding of lines) found(finding)
  }
  for (const { key, code } of drift) if (code === 'FILE.ADDED') found({ code, path: key })
  const context: RowContext = {
    checkOfJob: new Map(Object.values(jobs).map(({ id, check }) => [id, check])),
    lists: intake.lists,
    sidecars: intake.sidecars,
    clean: new Map(),
    isExcluded: (path) => isExcludedName(path, intake.rules.settings.excludedNames),
  }
  const renames = await findRenames(attempt, intake, plan, options)
  const totals = new TotalsCounter()
  const folders = new FolderCounter()
  const folderNames = context.sidecars ? new ExternalSort(scratch) : undefined
  const rowsFile = join(scratch, 'files-table.csv')
  const rows = createWriteStream(rowsFile)
  rows.write(filesCsvHeader())
  let pending: FileRow[] = []
  const tallies = new TallySum()
  let anyRedacted = false
  const results = checkedChunks(attempt, intake, plan, options)
  for await (const { files, jobTallies } of results) {
    tallies.add(jobTallies)
    for (const { entry, checked, versionId } of files) {
      const code = relisted.get(entry.key)
      const renamedFrom = renames.byKey.get(entry.key)
      const surroundings: Surroundings = {
        ...(code === undefined ? {} : { relisted: code }),
        ...(renamedFrom === undefined ? {} : { renamedFrom }),
      }
      const verdicts = judgeFile(entry, checked, context, surroundings)
      tally.addFile(verdicts, checked)
      for (const finding of verdicts.findings) addFinding(finding)
      for (const one of verdicts.unchecked)
        unchecked.add(`${one.reason}\0${one.path ?? ''}`, JSON.stringify(one))
      const excluded = context.isExcluded(checked.path)
      totals.add({ path: checked.path, sizeBytes: entry.sizeBytes, excluded })
      if (folderNames === undefined) folders.add(checked.path)
      else folderNames.add(checked.path, '')
      const { sha256 } = checked.digests
      if (sha256 !== undefined && entry.sizeBytes > 0 && !excluded) {
        contents.add(sha256, JSON.stringify({ path: checked.path, sizeBytes: entry.sizeBytes }))
      }
      names.add(matchKey(checked.path), JSON.stringify(checked.path))
      anyRedacted ||=
        redactedStem(checked.path.slice(checked.path.lastIndexOf('/') + 1)) !== undefined
      pending.push(fileRow(entry, checked, verdicts, versionId))
      if (pending.length >= ROWS_PER_WRITE) {
        if (!rows.write(filesCsvRows(pending))) await once(rows, 'drain')
        pending = []
      }
    }
  }
  rows.end(filesCsvRows(pending))
  await finished(rows)
  for await (const missing of readParts<MissingFile>(
    state,
    attempt,
    'missing',
    intake.missing.length,
  )) {
    // Metadata sent ahead names files that are to come.
    if (intake.taken.completion.metadataOnly || renames.missing.has(missing.path)) continue
    found({
      code: missing.onlyInMetadata ? 'METADATA.FILE_NOT_RECEIVED' : 'FILE.MISSING',
      path: missing.path,
      place: missing.place,
    })
    tally.addMissing(missing)
  }
  for (const { sortKey } of folderNames?.sorted() ?? []) folders.add(sortKey)
  const duplicates = reportDuplicates(contents, found)
  reportClashes(names, found)
  if (anyRedacted)
    await reportRedactions(attempt, intake, plan, options, context, tally, addFinding)
  tally.addTransfer(intake, found)
  tally.addNotes(jobNotes(tallies.sum))
  const sorts = [
    findings,
    unchecked,
    contents,
    names,
    ...(folderNames === undefined ? [] : [folderNames]),
    ...(byPath === undefined ? [] : [byPath]),
  ]
  return {
    totals: totals.end({ folders: folders.count, duplicates }),
    tally,
    added: drift.filter(({ code }) => code === 'FILE.ADDED').length,
    tables: {
      findings: () => parsedLines<Finding>(findings),
      unchecked: () => parsedLines<Unchecked>(unchecked),
      filesCsv: () => createReadStream(rowsFile, { encoding: 'utf8' }),
      ...(byPath === undefined ? {} : { metadataFindings: () => parsedLines<Finding>(byPath) }),
    },
    dispose: () => {
      for (const sort of sorts) sort.dispose()
    },
  }
}

function jobNotes(tallies: JobTallies): Map<CheckId, readonly string[]> {
  return new Map(
    Object.values(jobs).map((job) => [job.check, job.notes(tallies[job.id] ?? job.empty)]),
  )
}

function isAboutSealed(drift: Drift): drift is Drift & { code: 'FILE.CHANGED' | 'FILE.REMOVED' } {
  return drift.code !== 'FILE.ADDED' && drift.key.startsWith('records/')
}

/** Canonical order: code, path, then place. */
function findingKey({ code, path, place }: Finding): string {
  return [
    codes[code].check,
    code,
    path ?? '',
    place?.document ?? '',
    String(place?.row ?? 0).padStart(10, '0'),
    place?.column ?? '',
  ].join('\0')
}

async function* parsedLines<T>(sort: ExternalSort): AsyncGenerator<T> {
  yield* sort.parsed<T>()
}
