import type { CheckId } from './code-facts.ts'
import type { Digests } from './checksum.ts'
import type { Finding, Unchecked } from './finding.ts'
import type { InventoryEntry } from './inventory.ts'

/** What one check says of one file. */
export type CheckOutcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly findings: readonly Finding[] }
  /** Done and passed, with something the reader should know (a finding of severity warning or info). */
  | { readonly kind: 'noted'; readonly findings: readonly Finding[] }
  | { readonly kind: 'unchecked'; readonly unchecked: Unchecked }
  | { readonly kind: 'no basis' }
  | { readonly kind: 'not configured' }

/** What a worker learnt about the bytes of one file, whichever jobs ran. */
export type FileFacts = {
  readonly bytesRead: number
  readonly digests: Digests
  /** The checksum the store itself keeps of the whole object, when it keeps one (S3). */
  readonly storedChecksum?: { readonly algorithm: keyof Digests; readonly value: string }
  /** Object tags, read only where a job asks for them and the store has them. */
  readonly tags?: Readonly<Record<string, string>>
}

/**
 * A job checks files one at a time in a worker thread and folds what it learnt into a tally.
 *
 * `merge` must be associative and commutative with `empty` as identity. The engine relies on
 * it: the report has to be the same for every chunk size and thread count.
 */
export interface Job<Tally> {
  readonly id: string
  /** One sentence for `jobs list`, the API and the report. */
  readonly summary: string
  /** The row of the report's table of checks that this job fills. */
  readonly check: CheckId
  /** Whether the job reads object tags; the worker then fetches them with the file. */
  readonly needsTags?: boolean
  readonly empty: Tally
  merge(a: Tally, b: Tally): Tally
  /** Plain sentences for the report, under the job's row, from the whole consignment's tally. */
  notes(tally: Tally): readonly string[]
  /** Called once per file, before its bytes. */
  begin(entry: InventoryEntry, settings: JobSettings): FileCheck<Tally>
}

/** A job in the list: its tally's type is its own business, and only its own functions see one. */
// oxlint-disable-next-line no-explicit-any -- the list holds jobs of different tallies
export type AnyJob = Job<any>

/** A job never opens a file: it is fed. */
export interface FileCheck<Tally> {
  /** `bytes` is a reused buffer, valid during the call only. Left out by jobs that need no bytes. */
  feed?(bytes: Uint8Array): void
  end(facts: FileFacts): { readonly outcome: CheckOutcome; readonly tally: Tally }
}

/** The part of the frozen configuration that jobs depend on; stamped in `intake.json`. */
export type JobSettings = {
  readonly maxFileBytes: number
  readonly excludedNames: readonly ExcludedName[]
  /** Whether the drop zone has a malware scanner that tags objects. */
  readonly malwareTags: 'configured' | 'not configured'
  readonly malwareRequired: boolean
}

/** A name that TDR leaves out of a transfer, with TDR's matching rules. */
export type ExcludedName = {
  readonly pattern: string
  readonly type: 'exact' | 'regex'
  readonly caseInsensitive: boolean
  readonly description: string
}

/** n of N for one row of the report. `expected` = done + the three kinds of not done. */
export type CheckTally = {
  readonly expected: number
  readonly passed: number
  readonly failed: number
  readonly unchecked: number
  readonly noBasis: number
  readonly notConfigured: number
}
