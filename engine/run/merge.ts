import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { Store } from '../adapters/store.ts'
import { fileRow, judgeFile, type RowContext, type Surroundings } from '../flow/file-row.ts'
import { matchKey } from '../flow/match-key.ts'
import { redactedStem, type RedactionCode } from '../flow/redaction-pairs.ts'
import type { CheckOutcome } from '../model/check.ts'
import { groupSorted, type MissingFile } from '../flow/match.ts'
import { FolderCounter, TotalsCounter } from '../flow/totals.ts'
import { ConsignmentTally } from '../flow/consignment-tally.ts'
import type { Finding, Unchecked } from '../model/finding.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import type { CheckId } from '../model/code-facts.ts'
import { codes } from '../model/codes.ts'
import type { FileRow, OutcomeTables, Totals } from '../model/outcome.ts'
import type { Attempt } from '../model/transfer.ts'
import { TallySum } from '../pool/job-tallies.ts'
import type { CheckedFile, JobTallies } from '../pool/messages.ts'
import { ExternalSort } from '../scratch/external-sort.ts'
import { isExcludedName } from '../../jobs/excluded-names.ts'
import { jobs } from '../../jobs/index.ts'
import { filesCsvHeader, filesCsvRows } from '../report/csv.ts'
import { readResult, readVersions } from './check.ts'
import { readParts } from './parts.ts'
import { InventoryReader, type Plan } from './plan.ts'
import { RedactionPairing } from './redactions.ts'
import { relistOnce, type Drift } from './relist.ts'
import type { MetadataResult } from './check-metadata.ts'
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

export type MergeOptions = {
  readonly zoneStore: Store
  readonly state: Store
  /** A private folder that the caller removes. */
  readonly scratch: string
  readonly version: number
  readonly metadata: MetadataResult | undefined
  /** The report version whose result counts for a chunk: the newest that read it. */
  readonly resultVersion: (chunk: number) => number
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
  const eachChunk = zipped(attempt, intake, plan, options, (one) => tallies.add(one))
  for await (const chunk of eachChunk)
    for (const { entry, checked, versionId } of chunk) {
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
      anyRedacted ||= redactedStem(nameOf(checked.path)) !== undefined
      pending.push(fileRow(entry, checked, verdicts, versionId))
      if (pending.length >= ROWS_PER_WRITE) {
        if (!rows.write(filesCsvRows(pending))) await once(rows, 'drain')
        pending = []
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

type Zipped = {
  readonly entry: InventoryEntry
  readonly checked: CheckedFile
  readonly versionId: string | undefined
}

/** Inventory and results side by side, a chunk at a time, in inventory order. */
async function* zipped(
  attempt: Attempt,
  intake: Intake,
  plan: Plan,
  options: MergeOptions,
  onTallies?: (tallies: JobTallies) => void,
): AsyncGenerator<readonly Zipped[]> {
  const inventory = new InventoryReader(options.state, attempt, intake)
  // Results are small and many: the next one is fetched while this one is merged.
  const load = (index: number) => {
    const loaded = loadResult(options.state, attempt, options.resultVersion(index), index)
    loaded.catch(() => undefined) // reported when it is awaited, in its turn
    return loaded
  }
  let files = 0
  let next = plan.chunks[0] === undefined ? undefined : load(0)
  for (const chunk of plan.chunks) {
    const loaded = await next
    next = plan.chunks[chunk.index + 1] === undefined ? undefined : load(chunk.index + 1)
    if (loaded === undefined) continue
    onTallies?.(loaded.tallies)
    const entries = await inventory.range(chunk.first, chunk.count)
    yield entries.map((entry, i) => {
      const checked = loaded.files[i]
      if (checked === undefined || entry.key !== checked.key) {
        throw new Error(
          `bug: result ${chunk.index} of ${attempt.reference} does not follow the inventory`,
        )
      }
      return { entry, checked, versionId: loaded.versions[i] ?? undefined }
    })
    files += entries.length
  }
  if (files !== intake.files)
    throw new Error(`bug: the results of ${attempt.reference} end before its inventory`)
}

async function loadResult(state: Store, attempt: Attempt, version: number, chunk: number) {
  const result = await readResult(state, attempt, version, chunk)
  const versions = result.hasVersions ? await readVersions(state, attempt, version, chunk) : []
  return { ...result, versions }
}

function jobNotes(tallies: JobTallies): Map<CheckId, readonly string[]> {
  return new Map(
    Object.values(jobs).map((job) => [job.check, job.notes(tallies[job.id] ?? job.empty)]),
  )
}

function isAboutSealed(drift: Drift): drift is Drift & { code: 'FILE.CHANGED' | 'FILE.REMOVED' } {
  return drift.code !== 'FILE.ADDED' && drift.key.startsWith('records/')
}

type Renames = {
  /** Key of a received, unlisted file to the listed path whose content it has. */
  readonly byKey: ReadonlyMap<string, string>
  readonly missing: ReadonlySet<string>
}

/** Pair missing files with unlisted ones of exactly the stated content, where the pair is unambiguous. */
async function findRenames(
  attempt: Attempt,
  intake: Intake,
  plan: Plan,
  options: MergeOptions,
): Promise<Renames> {
  const byKey = new Map<string, string>()
  const missing = new Set<string>()
  if (intake.missing.length === 0 || !intake.lists.files) return { byKey, missing }
  const sort = new ExternalSort(options.scratch)
  try {
    for await (const one of readParts<MissingFile>(
      options.state,
      attempt,
      'missing',
      intake.missing.length,
    )) {
      for (const { algorithm, value } of one.stated)
        sort.add(`${algorithm}:${value}`, JSON.stringify({ listed: one.path }))
    }
    for await (const chunk of zipped(attempt, intake, plan, options))
      for (const { entry, checked } of chunk) {
        if (entry.unlisted !== true || entry.sizeBytes === 0) continue
        for (const [algorithm, value] of Object.entries(checked.digests))
          sort.add(`${algorithm}:${value}`, JSON.stringify({ key: entry.key }))
      }
    for (const { values } of groupSorted(sort.sorted(), ({ sortKey }) => sortKey)) {
      const sides = values.map(({ line }) => JSON.parse(line) as { listed?: string; key?: string })
      const listed = new Set(
        sides.flatMap((side) => (side.listed === undefined ? [] : [side.listed])),
      )
      const received = new Set(sides.flatMap((side) => (side.key === undefined ? [] : [side.key])))
      const [onlyListed] = listed
      const [onlyReceived] = received
      if (
        listed.size !== 1 ||
        received.size !== 1 ||
        onlyListed === undefined ||
        onlyReceived === undefined
      )
        continue
      byKey.set(onlyReceived, onlyListed)
      missing.add(onlyListed)
    }
    return { byKey, missing }
  } finally {
    sort.dispose()
  }
}

const PATHS_NAMED_PER_GROUP = 5

function reportDuplicates(
  contents: ExternalSort,
  found: (finding: Finding) => void,
): Totals['duplicates'] {
  let files = 0
  let groups = 0
  let bytes = 0
  for (const { key, values } of groupSorted(contents.sorted(), ({ sortKey }) => sortKey)) {
    if (values.length < 2) continue
    const copies = values.map(({ line }) => JSON.parse(line) as { path: string; sizeBytes: number })
    const first = copies[0]
    if (first === undefined) continue
    groups++
    files += copies.length
    bytes += first.sizeBytes * (copies.length - 1)
    const others = copies.slice(1, 1 + PATHS_NAMED_PER_GROUP).map(({ path }) => path)
    const more = copies.length - 1 - others.length
    found({
      code: 'CONTENT.DUPLICATE',
      path: first.path,
      value: key,
      detail: `${copies.length} files: also ${others.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
    })
  }
  return { files, groups, bytes }
}

/** Redacted copies without one original; they fail the names of their files after all. */
async function reportRedactions(
  attempt: Attempt,
  intake: Intake,
  plan: Plan,
  options: MergeOptions,
  context: RowContext,
  tally: ConsignmentTally,
  addFinding: (finding: Finding) => void,
): Promise<void> {
  const pairing = new RedactionPairing(options.scratch)
  try {
    const copies = new ExternalSort(options.scratch)
    for await (const chunk of zipped(attempt, intake, plan, options))
      for (const { entry, checked } of chunk) {
        if (context.isExcluded(checked.path)) continue
        pairing.add(checked.path)
        if (redactedStem(nameOf(checked.path)) === undefined) continue
        copies.add(checked.path, judgeFile(entry, checked, context, {}).outcomes.names.kind)
      }
    const problems = new ExternalSort(options.scratch)
    for (const { path, code } of pairing.problems()) problems.add(path, code)
    const kinds = copies.sorted()[Symbol.iterator]()
    for (const { sortKey: path, line } of problems.sorted()) {
      let kind = kinds.next()
      while (kind.done !== true && kind.value.sortKey !== path) kind = kinds.next()
      const before = kind.done === true ? 'passed' : (kind.value.line as CheckOutcome['kind'])
      const finding: Finding = { code: line as RedactionCode, path }
      addFinding(finding)
      tally.addLate('names', before, finding)
    }
    copies.dispose()
    problems.dispose()
  } finally {
    pairing.dispose()
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function reportClashes(names: ExternalSort, found: (finding: Finding) => void): void {
  for (const { values } of groupSorted(names.sorted(), ({ sortKey }) => sortKey)) {
    if (values.length < 2) continue
    const [first, ...others] = values.map(({ line }) => JSON.parse(line) as string)
    if (first === undefined) continue
    found({
      code: 'NAME.CLASH',
      path: first,
      value: others.slice(0, PATHS_NAMED_PER_GROUP).join(', '),
    })
  }
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
  for (const { line } of sort.sorted()) yield JSON.parse(line) as T
}
