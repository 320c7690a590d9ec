import type { CheckOutcome } from '../model/check.ts'
import type { CheckId } from '../model/code-facts.ts'
import { codes, type FindingCode } from '../model/codes.ts'
import type { Finding, Unchecked } from '../model/finding.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import type { FileRow } from '../model/outcome.ts'
import { nearMatchOf } from './match-key.ts'

/** What the worker found out about one file, as stored in a result. */
export type CheckedRecord = {
  readonly key: string
  readonly path: string
  readonly stated: InventoryEntry['stated']
  readonly digests: FileRow['digests']
  readonly outcomes: Readonly<Record<string, CheckOutcome>>
}

/** What is known about the whole consignment when one file's row is written. */
export type RowContext = {
  /** Job id to the row of the report's table that it fills. */
  readonly checkOfJob: ReadonlyMap<string, CheckId>
  readonly lists: { readonly files: boolean; readonly metadata: boolean }
  /** Whether any record of the transfer has a sidecar. */
  readonly sidecars: boolean
  readonly isExcluded: (path: string) => boolean
  /** Verdicts of files without anything to say, by what was checked: nearly all files share a few. */
  readonly clean: Map<string, FileVerdicts>
}

/** What is known of this one file from outside its own result. */
export type Surroundings = {
  /** What listing the transfer again said of it. */
  readonly relisted?: 'FILE.CHANGED' | 'FILE.REMOVED'
  /** The missing file whose content it has. */
  readonly renamedFrom?: string
}

export type FileVerdicts = {
  readonly outcomes: Readonly<Record<CheckId, CheckOutcome>>
  readonly findings: readonly Finding[]
  readonly unchecked: readonly Unchecked[]
}

/**
 * Every check's outcome for one file: those the worker brought, and those that follow from the
 * inventory. Findings of a job may belong to another row of the table than the job's own
 * (a wrong size found while reading belongs to "received"); they fail that row instead.
 */
export function judgeFile(
  entry: InventoryEntry,
  checked: CheckedRecord,
  context: RowContext,
  surroundings: Surroundings,
): FileVerdicts {
  const cleanKey = keyOfClean(entry, checked, context, surroundings)
  const known = cleanKey === undefined ? undefined : context.clean.get(cleanKey)
  if (known !== undefined) return known
  const verdicts = judge(entry, checked, context, surroundings)
  if (cleanKey !== undefined && verdicts.findings.length === 0)
    context.clean.set(cleanKey, verdicts)
  return verdicts
}

/** What decides about a file that has nothing to say for itself; undefined for any other. */
function keyOfClean(
  entry: InventoryEntry,
  checked: CheckedRecord,
  context: RowContext,
  surroundings: Surroundings,
): string | undefined {
  if (entry.irregular !== undefined || entry.listedAs !== undefined || entry.unlisted === true)
    return undefined
  if (surroundings.relisted !== undefined || surroundings.renamedFrom !== undefined)
    return undefined
  let key = `${entry.row === undefined ? '' : 'row'} ${entry.sidecar === undefined ? '' : 'sidecar'} ${context.isExcluded(checked.path) ? 'excluded' : ''}`
  for (const id in checked.outcomes) {
    const kind = checked.outcomes[id]?.kind ?? ''
    if (kind === 'failed' || kind === 'noted' || kind === 'unchecked') return undefined
    key += `;${id}=${kind}`
  }
  return key
}

function judge(
  entry: InventoryEntry,
  checked: CheckedRecord,
  context: RowContext,
  surroundings: Surroundings,
): FileVerdicts {
  const path = checked.path
  const byCheck = new Map<CheckId, CheckOutcome[]>()
  const put = (check: CheckId, outcome: CheckOutcome) => {
    const list = byCheck.get(check)
    if (list === undefined) byCheck.set(check, [outcome])
    else list.push(outcome)
  }
  const found = (finding: Finding) => {
    const facts = codes[finding.code]
    put(facts.check, { kind: facts.severity === 'error' ? 'failed' : 'noted', findings: [finding] })
  }
  put('received', { kind: 'passed' })
  put('sealed', { kind: 'passed' })
  put('format', { kind: 'not configured' })
  if (entry.irregular !== undefined) {
    found({ code: 'FILE.NOT_REGULAR', path, value: entry.irregular })
  }
  if (entry.listedAs !== undefined) {
    const detail = `They differ in ${nearMatchOf(path, entry.listedAs).join(' and ')}.`
    found({ code: 'FILE.MISSING_SIMILAR', path, value: path, expected: entry.listedAs, detail })
  }
  if (surroundings.renamedFrom !== undefined) {
    found({ code: 'FILE.RENAMED', path, value: path, expected: surroundings.renamedFrom })
  } else if (entry.unlisted === true && !context.isExcluded(path))
    found({ code: 'FILE.UNEXPECTED', path })
  if (surroundings.relisted !== undefined) found({ code: surroundings.relisted, path })
  judgeMetadataPresence(entry, path, context, put, found)
  for (const [jobId, outcome] of Object.entries(checked.outcomes)) {
    const own = context.checkOfJob.get(jobId) ?? (jobId as CheckId)
    if (outcome.kind === 'failed' || outcome.kind === 'noted') {
      if (!outcome.findings.some(({ code }) => codes[code].check === own))
        put(own, { kind: 'passed' })
      for (const finding of outcome.findings) found({ path, ...finding })
    } else if (outcome.kind === 'unchecked') {
      put(own, { kind: 'unchecked', unchecked: { path, ...outcome.unchecked } })
    } else put(own, outcome)
  }
  const outcomes = Object.fromEntries(
    [...byCheck].map(([check, list]) => [check, gravest(list)]),
  ) as Record<CheckId, CheckOutcome>
  const all = [...byCheck.values()].flat()
  return {
    outcomes,
    findings: distinct(all.flatMap((outcome) => ('findings' in outcome ? outcome.findings : []))),
    unchecked: distinctReasons(
      all.flatMap((outcome) => ('unchecked' in outcome ? [outcome.unchecked] : [])),
    ),
  }
}

function judgeMetadataPresence(
  entry: InventoryEntry,
  path: string,
  context: RowContext,
  put: (check: CheckId, outcome: CheckOutcome) => void,
  found: (finding: Finding) => void,
): void {
  if (context.isExcluded(path)) put('reconciliation', { kind: 'no basis' })
  else if (context.lists.metadata) {
    if (entry.row === undefined) found({ code: 'METADATA.FILE_WITHOUT_ROW', path })
    else put('reconciliation', { kind: 'passed' })
  } else if (context.sidecars) {
    if (entry.sidecar === undefined) found({ code: 'RECORD.WITHOUT_SIDECAR', path })
    else put('reconciliation', { kind: 'passed' })
  } else put('reconciliation', { kind: 'no basis' })
}

const GRAVITY: Readonly<Record<CheckOutcome['kind'], number>> = {
  unchecked: 5,
  failed: 4,
  noted: 3,
  passed: 2,
  'no basis': 1,
  'not configured': 0,
}

/** One outcome a check and file: not knowing outranks a failure, a failure outranks a pass. */
function gravest(outcomes: readonly CheckOutcome[]): CheckOutcome {
  return outcomes.reduce((a, b) => (GRAVITY[b.kind] > GRAVITY[a.kind] ? b : a))
}

/** The same fact may come from reading a file and from listing it again. */
function distinct(findings: readonly Finding[]): Finding[] {
  const identity = ({ code, path, place, value }: Finding) =>
    JSON.stringify([code, path, place, value])
  return [...new Map(findings.map((finding) => [identity(finding), finding])).values()]
}

/** One entry a reason: a file that could not be read is one gap, however many checks wanted it. */
function distinctReasons(unchecked: readonly Unchecked[]): Unchecked[] {
  return [...new Map(unchecked.map((one) => [one.reason, one])).values()]
}

export function fileRow(
  entry: InventoryEntry,
  checked: CheckedRecord,
  verdicts: FileVerdicts,
  versionId: string | undefined,
): FileRow {
  const codesOnFile: FindingCode[] =
    verdicts.findings.length === 0
      ? []
      : [...new Set(verdicts.findings.map(({ code }) => code))].sort()
  return {
    path: checked.path,
    key: entry.key,
    sizeBytes: entry.sizeBytes,
    digests: checked.digests,
    ...(versionId === undefined ? {} : { versionId }),
    stated: checked.stated.map(({ algorithm, value }) => `${algorithm}:${value}`),
    outcomes: kindsOf(verdicts),
    codes: codesOnFile,
    ...(entry.carried === undefined ? {} : { carriedFromAttempt: entry.carried.attempt }),
  }
}

const kinds = new WeakMap<FileVerdicts, FileRow['outcomes']>()

function kindsOf(verdicts: FileVerdicts): FileRow['outcomes'] {
  let known = kinds.get(verdicts)
  if (known === undefined) {
    known = Object.fromEntries(
      Object.entries(verdicts.outcomes).map(([check, outcome]) => [check, outcome.kind]),
    )
    kinds.set(verdicts, known)
  }
  return known
}
