import type { CheckOutcome, CheckTally } from '../model/check.ts'
import { strength, type Algorithm } from '../model/checksum.ts'
import { checks, codes, type CheckId, type FindingCode, type Severity } from '../model/codes.ts'
import type { Finding, Unchecked } from '../model/finding.ts'
import type { CheckRow, FindingGroup, Reconciliation, UncheckedGroup } from '../model/outcome.ts'
import type { Completion } from '../model/transfer.ts'
import type { CheckedRecord, FileVerdicts } from './file-row.ts'
import type { MissingFile } from './match.ts'
import { addTally, emptyTally, tallyOf } from './tally.ts'

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
  #files = 0
  #excluded = 0
  #missing = 0
  #withoutChecksum = 0
  #nativeDocuments = 0

  constructor(lists: { readonly files: boolean; readonly metadata: boolean }) {
    this.#lists = lists
  }

  addFile(verdicts: FileVerdicts, checked: CheckedRecord): void {
    this.#files++
    for (const [check, outcome] of Object.entries(verdicts.outcomes) as [CheckId, CheckOutcome][]) {
      this.#checks.set(check, addTally(this.#checks.get(check) ?? emptyTally, tallyOf(outcome)))
    }
    for (const finding of verdicts.findings) this.addFinding(finding)
    for (const one of verdicts.unchecked) {
      const group = this.#unchecked.get(one.reason) ?? { count: 0, examples: [] }
      group.count++
      keepLeast(group.examples, one, ({ path }) => path ?? '')
      this.#unchecked.set(one.reason, group)
    }
    for (const { algorithm } of checked.stated) this.#algorithms.add(algorithm)
    if (checked.stated.length === 0) this.#withoutChecksum++
    if (verdicts.findings.some(({ code }) => code === 'NAME.EXCLUDED')) this.#excluded++
  }

  addFinding(finding: Finding): void {
    const group = this.#groups.get(finding.code) ?? { count: 0, examples: [] }
    group.count++
    keepLeast(group.examples, finding, exampleOrder)
    this.#groups.set(finding.code, group)
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
    const own = sealed.files - (sealed.changes?.carriedOver ?? 0)
    if (sealed.files === 0 && !completion.metadataOnly) found({ code: 'TRANSFER.EMPTY' })
    else if (sealed.files > 0 && this.#excluded === sealed.files) found({ code: 'TRANSFER.ALL_EXCLUDED' })
    for (const [what, count] of [
      ['announced', completion.expectedNumberFiles],
      ['uploaded', completion.loadedNumberFiles],
    ] as const) {
      if (count === undefined || count === own) continue
      found({
        code: 'TRANSFER.COUNT_DIFFERS',
        value: String(own),
        expected: String(count),
        detail: `complete.json says ${count} records were ${what}; ${own} arrived.`,
      })
      return
    }
  }

  checkRows(): CheckRow[] {
    return (Object.keys(checks) as CheckId[]).map((check) => ({
      check,
      tally: this.#checks.get(check) ?? emptyTally,
      notes: this.#notes(check),
    }))
  }

  #notes(check: CheckId): string[] {
    const tally = this.#checks.get(check) ?? emptyTally
    const notes: string[] = []
    if (check === 'received' && !this.#lists.files) {
      notes.push('The sender sent no list of files: what arrived is the baseline.')
    }
    if (check === 'fixity') {
      const stated = [...this.#algorithms].filter((algorithm) => algorithm !== 'sha256' || tally.passed + tally.failed > 0)
      if (tally.passed + tally.failed > 0) {
        notes.push(...stated.map((algorithm) => `${algorithmNames[algorithm]} ${strength[algorithm] === 'tampering' ? 'detects accidents and deliberate changes' : 'detects accidents only'}.`))
      }
      if (tally.noBasis > 0) {
        notes.push(`${tally.noBasis === 1 ? '1 file has' : `${tally.noBasis.toLocaleString('en-GB')} files have`} no checksum from the sender: ours is the baseline.`)
      }
    }
    if (check === 'malware' && tally.notConfigured > 0) notes.push('No malware scanner is configured for this drop zone.')
    if (check === 'format') notes.push('No file format identification is configured.')
    if (check === 'reconciliation' && !this.#lists.metadata && tally.noBasis > 0) {
      notes.push('The sender sent no metadata to match.')
    }
    return notes
  }

  findingGroups(): FindingGroup[] {
    return [...this.#groups]
      .map(([code, group]) => ({ code, ...group }))
      .sort((a, b) => severityRank[codes[a.code].severity] - severityRank[codes[b.code].severity] || (a.code < b.code ? -1 : 1))
  }

  uncheckedGroups(): UncheckedGroup[] {
    return [...this.#unchecked]
      .map(([reason, group]) => ({ reason, ...group }))
      .sort((a, b) => (a.reason < b.reason ? -1 : 1))
  }

  reconciliation(): Reconciliation {
    const count = (code: FindingCode) => this.#groups.get(code)?.count ?? 0
    return {
      expected: this.#lists.files ? this.#files + this.#missing - count('FILE.UNEXPECTED') : null,
      received: this.#files,
      missing: this.#missing,
      unexpected: count('FILE.UNEXPECTED'),
      renamed: count('FILE.RENAMED') + count('FILE.MISSING_SIMILAR'),
      changed: count('FILE.CHANGED') + count('FILE.REMOVED') + count('FILE.ADDED'),
      metadataWithoutFile: count('METADATA.FILE_NOT_RECEIVED'),
      filesWithoutMetadata: count('METADATA.FILE_WITHOUT_ROW') + count('RECORD.WITHOUT_SIDECAR'),
    }
  }

  algorithms(): Algorithm[] {
    return [...this.#algorithms].sort()
  }
}

const algorithmNames: Readonly<Record<Algorithm, string>> = {
  sha256: 'SHA-256',
  sha512: 'SHA-512',
  sha1: 'SHA-1',
  md5: 'MD5',
  crc32: 'CRC-32',
  crc32c: 'CRC-32C',
  crc64nvme: 'CRC-64/NVME',
  quickxor: 'quickXorHash',
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
