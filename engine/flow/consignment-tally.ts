import type { CheckOutcome } from '../model/check.ts'
import type { CheckTally } from '../model/check.ts'
import type { Algorithm } from '../model/checksum.ts'
import { count } from '../model/count.ts'
import { checks, type CheckId, type Severity } from '../model/code-facts.ts'
import { codes, type FindingCode } from '../model/codes.ts'
import type { Finding, Unchecked } from '../model/finding.ts'
import type { CheckRow, FindingGroup, Reconciliation, UncheckedGroup } from '../model/outcome.ts'
import type { Completion } from '../model/transfer.ts'
import type { CheckedRecord, FileVerdicts } from './file-row.ts'
import type { MissingFile } from './match.ts'
import { addTally, emptyTally, tallyOf, timesTally } from './tally.ts'

const EXAMPLES = 5

/** What the tally needs to know of the sealed transfer. */
export type SealedTransfer = {
  readonly files: number
  readonly taken: { readonly completion: Completion }
  readonly changes?: { readonly carriedOver: number }
}

/**
 * Adds up one consignment: n of N for each check, findings by code, gaps by reason. Files may
 * come in any order; the figures are the same.
 */
export class ConsignmentTally {
  readonly #lists: { readonly files: boolean; readonly metadata: boolean }
  readonly #checks = new Map<CheckId, CheckTally>()
  readonly #groups = new Map<FindingCode, { count: number; examples: Finding[] }>()
  readonly #unchecked = new Map<Unchecked['reason'], { count: number; examples: Unchecked[] }>()
  readonly #algorithms = new Set<Algorithm>(['sha256'])
  readonly #clean = new Map<FileVerdicts, number>()
  #files = 0
  #excluded = 0
  #missing = 0
  #withoutChecksum = 0
  #metadataOnly = false
  #jobNotes: ReadonlyMap<CheckId, readonly string[]> = new Map()

  constructor(lists: { readonly files: boolean; readonly metadata: boolean }) {
    this.#lists = lists
  }

  addFile(verdicts: FileVerdicts, checked: CheckedRecord): void {
    this.#files++
    if (verdicts.findings.length === 0 && verdicts.unchecked.length === 0) {
      this.#clean.set(verdicts, (this.#clean.get(verdicts) ?? 0) + 1)
    } else this.#addOutcomes(verdicts, 1)
    for (const finding of verdicts.findings) this.addFinding(finding)
    for (const one of verdicts.unchecked) {
      const group = this.#unchecked.get(one.reason) ?? { count: 0, examples: [] }
      group.count++
      keepLeast(group.examples, one, ({ path }) => path ?? '')
      this.#unchecked.set(one.reason, group)
    }
    if (checked.stated.length === 0) this.#withoutChecksum++
    for (const { algorithm } of checked.stated) this.#algorithms.add(algorithm)
    if (verdicts.findings.some(({ code }) => code === 'NAME.EXCLUDED')) this.#excluded++
  }

  #addOutcomes(verdicts: FileVerdicts, files: number): void {
    for (const check of Object.keys(verdicts.outcomes) as CheckId[]) {
      const one = tallyOf(verdicts.outcomes[check])
      this.#checks.set(
        check,
        addTally(this.#checks.get(check) ?? emptyTally, timesTally(one, files)),
      )
    }
  }

  /** Files without anything to say share their verdicts, and are added up only when asked for. */
  #addClean(): void {
    for (const [verdicts, files] of this.#clean) this.#addOutcomes(verdicts, files)
    this.#clean.clear()
  }

  addFinding(finding: Finding): void {
    const group = this.#groups.get(finding.code) ?? { count: 0, examples: [] }
    group.count++
    keepLeast(group.examples, finding, exampleOrder)
    this.#groups.set(finding.code, group)
  }

  /** A finding that only the whole consignment shows, about a file that was judged before. */
  addLate(check: CheckId, before: CheckOutcome['kind'], finding: Finding): void {
    this.addFinding(finding)
    this.#addClean()
    const tally = this.#checks.get(check) ?? emptyTally
    if (before !== 'failed')
      this.#checks.set(check, { ...tally, passed: tally.passed - 1, failed: tally.failed + 1 })
  }

  /** Rows of metadata documents, which are no files of their own. */
  addMetadataRows(rows: {
    readonly rows: number
    readonly passed: number
    readonly failed: number
  }): void {
    const tally = { ...emptyTally, expected: rows.rows, passed: rows.passed, failed: rows.failed }
    this.#checks.set('metadata', addTally(this.#checks.get('metadata') ?? emptyTally, tally))
  }

  addMissing(missing: MissingFile): void {
    if (missing.onlyInMetadata) return
    this.#missing++
    const received = this.#checks.get('received') ?? emptyTally
    this.#checks.set('received', addTally(received, { ...emptyTally, expected: 1, failed: 1 }))
  }

  /** What only the whole transfer shows; call after its files. */
  addTransfer(sealed: SealedTransfer, found: (finding: Finding) => void): void {
    const { completion } = sealed.taken
    this.#metadataOnly = completion.metadataOnly
    if (completion.metadataOnly && sealed.files > 0)
      found({ code: 'TRANSFER.RECORDS_WITH_DRY_RUN' })
    const own = sealed.files - (sealed.changes?.carriedOver ?? 0)
    if (sealed.files === 0 && !completion.metadataOnly) found({ code: 'TRANSFER.EMPTY' })
    else if (sealed.files > 0 && this.#excluded === sealed.files)
      found({ code: 'TRANSFER.ALL_EXCLUDED' })
    for (const [what, stated] of [
      ['announced', completion.expectedNumberFiles],
      ['uploaded', completion.loadedNumberFiles],
    ] as const) {
      if (stated === undefined || stated === own || completion.metadataOnly) continue
      found({
        code: 'TRANSFER.COUNT_DIFFERS',
        value: String(own),
        expected: String(stated),
        detail: `complete.json says ${stated} records were ${what}; ${own} arrived.`,
      })
      return
    }
  }

  /** What the jobs say about the whole consignment, by row. */
  addNotes(notes: ReadonlyMap<CheckId, readonly string[]>): void {
    this.#jobNotes = notes
  }

  checkRows(): CheckRow[] {
    this.#addClean()
    return (Object.keys(checks) as CheckId[]).map((check) => ({
      check,
      tally: this.#checks.get(check) ?? emptyTally,
      notes: this.#notes(check),
    }))
  }

  #notes(check: CheckId): string[] {
    const tally = this.#checks.get(check) ?? emptyTally
    const notes: string[] = []
    if (check === 'received' && this.#metadataOnly)
      notes.push(
        'Only metadata was sent, to be checked ahead of the records: nothing was taken in.',
      )
    else if (check === 'received' && !this.#lists.files) {
      notes.push('The sender sent no list of files: what arrived is the baseline.')
    }
    notes.push(...(this.#jobNotes.get(check) ?? []))
    if (check === 'fixity' && this.#withoutChecksum > 0) {
      notes.push(
        `${count(this.#withoutChecksum, 'file has', 'files have')} no checksum from the sender: ours is the baseline.`,
      )
    }
    if (check === 'digest' && tally.noBasis > 0) {
      notes.push(`${count(tally.noBasis, 'file', 'files')} could not be read as sealed.`)
    }
    if (check === 'format') notes.push('No file format identification is configured.')
    if (check === 'metadata' && tally.expected === 0)
      notes.push('The sender sent no metadata that could be read.')
    if (check === 'reconciliation' && !this.#lists.metadata && tally.noBasis > 0) {
      notes.push('The sender sent no metadata to match.')
    }
    return notes
  }

  findingGroups(): FindingGroup[] {
    return [...this.#groups]
      .map(([code, group]) => ({ code, ...group }))
      .sort(
        (a, b) =>
          severityRank[codes[a.code].severity] - severityRank[codes[b.code].severity] ||
          (a.code < b.code ? -1 : 1),
      )
  }

  uncheckedGroups(): UncheckedGroup[] {
    return [...this.#unchecked]
      .map(([reason, group]) => ({ reason, ...group }))
      .sort((a, b) => (a.reason < b.reason ? -1 : 1))
  }

  reconciliation(): Reconciliation {
    const found = (code: FindingCode) => this.#groups.get(code)?.count ?? 0
    return {
      expected: this.#lists.files ? this.#files + this.#missing - found('FILE.UNEXPECTED') : null,
      received: this.#files,
      missing: this.#missing,
      unexpected: found('FILE.UNEXPECTED'),
      renamed: found('FILE.RENAMED') + found('FILE.MISSING_SIMILAR'),
      changed: found('FILE.CHANGED') + found('FILE.REMOVED') + found('FILE.ADDED'),
      metadataWithoutFile: found('METADATA.FILE_NOT_RECEIVED'),
      filesWithoutMetadata: found('METADATA.FILE_WITHOUT_ROW') + found('RECORD.WITHOUT_SIDECAR'),
    }
  }

  algorithms(): Algorithm[] {
    return [...this.#algorithms].sort()
  }
}

const severityRank: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 }

function exampleOrder({ path, place }: Finding): string {
  return `${path ?? ''}\0${place?.document ?? ''}\0${String(place?.row ?? 0).padStart(10, '0')}\0${place?.column ?? ''}`
}

/** Keep the first few in order, whatever order they come in. */
function keepLeast<T>(kept: T[], one: T, orderOf: (value: T) => string): void {
  const order = orderOf(one)
  const last = kept.at(-1)
  if (kept.length >= EXAMPLES && last !== undefined && order >= orderOf(last)) return
  const position = kept.findIndex((other) => order < orderOf(other))
  kept.splice(position < 0 ? kept.length : position, 0, one)
  kept.length = Math.min(kept.length, EXAMPLES)
}
