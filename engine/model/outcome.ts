import type { CheckTally } from './check.ts'
import type { Algorithm, Digests } from './checksum.ts'
import type { CheckId } from './code-facts.ts'
import type { FindingCode } from './codes.ts'
import type { Finding, Unchecked, UncheckedReason } from './finding.ts'

export type Verdict =
  'READY' | 'READY WITH WARNINGS' | 'NEEDS SENDER' | 'NEEDS ARCHIVIST' | 'NOT PROCESSED'

/** TDR's words for a consignment. */
export type Status = 'InProgress' | 'Completed' | 'CompletedWithIssues' | 'Failed'

/** Who sent a transfer and what it belongs to. Parts the sender or the zone did not state are left out. */
export type TransferFacts = {
  readonly zone: string
  readonly integrator: string
  readonly source: string
  readonly transferId: string
  readonly transferringBody?: string
  readonly series?: string
  readonly contact?: string
}

/**
 * Everything merged about one attempt of one consignment, small enough to hold whatever the
 * consignment's size: lists that can be a million long are behind `OutcomeTables`.
 *
 * The same for any chunk size, thread count, order or restart; only `run` may differ.
 */
export type Outcome = {
  readonly reference: string
  /** The sender's: 1 for the first transfer, one more for each correction. */
  readonly attempt: number
  /** Ours: one more each time we check the same transfer again. */
  readonly reportVersion: number
  readonly verdict: Verdict
  readonly status: Status
  /** One sentence after the verdict: what it means for this consignment, with the counts that matter. */
  readonly sentence: string
  /** What the sender must fix and what the archivist must decide, whatever the verdict. */
  readonly actions: { readonly sender: number; readonly archivist: number; readonly ours: number }
  readonly transfer: TransferFacts
  readonly totals: Totals
  readonly checks: readonly CheckRow[]
  /** Ordered by severity, then by code. */
  readonly findings: readonly FindingGroup[]
  readonly unchecked: readonly UncheckedGroup[]
  readonly reconciliation: Reconciliation
  readonly sources: readonly SourceRow[]
  /** Set when the transfer carried metadata rows. */
  readonly metadata?: MetadataProfile
  /** Set on attempts after the first. */
  readonly sinceLastAttempt?: AttemptChanges
  readonly provenance: Provenance
  readonly run: RunFacts
}

/** What differs between two honest runs: left out when reports are compared. */
export type RunFacts = {
  readonly runId: string
  readonly sealedAt: string
  readonly mergedAt: string
}

export type Totals = {
  readonly files: number
  readonly bytes: number
  readonly folders: number
  readonly largest?: { readonly path: string; readonly sizeBytes: number }
  readonly zeroByteFiles: number
  readonly excludedFiles: number
  /** Files that share their content with another of the consignment. */
  readonly duplicates: { readonly files: number; readonly groups: number; readonly bytes: number }
  /** Lower-case, without the dot; '' for none. Most files first, then by name; never more than 50 rows, the last then being the rest. */
  readonly extensions: readonly {
    readonly extension: string
    readonly files: number
    readonly bytes: number
  }[]
}

export type CheckRow = {
  readonly check: CheckId
  readonly tally: CheckTally
  /** Plain sentences under the row: why some were not done, which algorithms were used and what they prove. */
  readonly notes: readonly string[]
}

export type FindingGroup = {
  readonly code: FindingCode
  readonly count: number
  /** The first five in canonical order; all of them are in findings.csv. */
  readonly examples: readonly Finding[]
}

export type UncheckedGroup = {
  readonly reason: UncheckedReason
  readonly count: number
  readonly examples: readonly Unchecked[]
}

export type Reconciliation = {
  readonly expected: number | null
  readonly received: number
  readonly missing: number
  readonly unexpected: number
  readonly renamed: number
  readonly changed: number
  readonly metadataWithoutFile: number
  readonly filesWithoutMetadata: number
}

/** One document of the sender's under metadata/, and what it was taken for. */
export type SourceRow = {
  readonly document: string
  /** Kind id, or 'not recognised'. */
  readonly kind: string
  readonly summary: string
  readonly statements: number
  readonly unreadable: number
}

export type MetadataProfile = {
  readonly profileId: string
  readonly profileVersion: string
  readonly rows: number
  readonly columnsMapped: readonly { readonly header: string; readonly property: string }[]
  readonly columnsKept: readonly string[]
  readonly normalised: readonly {
    readonly column: string
    readonly from: string
    readonly to: string
    readonly count: number
  }[]
  readonly open: number
  readonly closed: number
  readonly closureUnknown: number
  /** ISO dates, earliest and latest of the records. */
  readonly dateRange?: { readonly from: string; readonly to: string }
}

export type AttemptChanges = {
  readonly previousAttempt: number
  readonly added: number
  readonly replaced: number
  readonly removed: number
  readonly carriedOver: number
  /** Count per code in the previous report and in this one, for codes in either. */
  readonly findings: readonly {
    readonly code: FindingCode
    readonly before: number
    readonly now: number
  }[]
}

export type Provenance = {
  readonly engineVersion: string
  readonly ruleSetVersion: string
  /** SHA-256 of the frozen configuration. */
  readonly configurationDigest: string
  /** SHA-256 over the inventory parts, in order: names exactly what was checked. */
  readonly inventoryDigest: string
  readonly jobs: readonly string[]
  readonly algorithms: readonly Algorithm[]
}

/** One line of files.csv: one file of the inventory. */
export type FileRow = {
  readonly path: string
  readonly key: string
  readonly sizeBytes: number
  readonly digests: Digests
  /** S3 version read, where the store has versions. */
  readonly versionId?: string
  /** `algorithm:value`, as stated. */
  readonly stated: readonly string[]
  /** 'passed', 'failed', 'noted', 'unchecked', 'no basis' or 'not configured'. */
  readonly outcomes: Readonly<Partial<Record<CheckId, string>>>
  /** Codes found on this file, in order, each once. */
  readonly codes: readonly FindingCode[]
  readonly carriedFromAttempt?: number
}

/** The long tables, re-readable, in canonical order: findings by check, code, path and place; files by key. */
export type OutcomeTables = {
  findings(): AsyncIterable<Finding>
  unchecked(): AsyncIterable<Unchecked>
  /** files.csv, already as text. */
  filesCsv(): AsyncIterable<string>
  /** Findings about metadata by path, where the transfer carried metadata rows. */
  metadataFindings?(): AsyncIterable<Finding>
}

/** Recorded create-once when an archivist decides about one report. */
export type Decision = {
  readonly kind: 'accepted' | 'returned'
  readonly who: string
  readonly when: string
  readonly why: string
  /** SHA-256 of the report.json decided on. */
  readonly reportDigest: string
}
