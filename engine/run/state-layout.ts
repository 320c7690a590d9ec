import type { Attempt, TransferAddress } from '../model/transfer.ts'

/**
 * Every key that the engine writes, in one place. All but `status.json` and the hint are written
 * once and never changed.
 *
 * One flat listing of `transfers/{zone}/` tells how far every transfer has come, because each
 * step leaves a marker there: that is what makes a sweep over old transfers free.
 */
export const STATE_VERSION = 1

export function zoneMarkers(zone: string): string {
  return `transfers/${zone}/`
}

export type Marker =
  | 'taken.json'
  | 'sealed.json'
  | `delivered-${number}.json`
  | `recheck-${number}.json`
  | 'decided.json'

export function markerKey(transfer: TransferAddress, marker: Marker): string {
  return `${zoneMarkers(transfer.zone)}${transfer.integrator}/${transfer.source}/${transfer.transferId}/${marker}`
}

export function quietKey(transfer: TransferAddress, number: number): string {
  return `quiet/${transfer.zone}/${transfer.integrator}/${transfer.source}/${transfer.transferId}/${pad(number)}.json`
}

/** Claims sort by sequence, so the last one is found without reading any. */
export function referenceClaims(prefix: string, year: number): string {
  return `references/${prefix}-${year}/`
}
export function referenceClaimKey(prefix: string, year: number, sequence: number): string {
  return `${referenceClaims(prefix, year)}${String(sequence).padStart(12, '0')}.json`
}
export function suppliedReferenceKey(reference: string): string {
  return `references/supplied/${reference}.json`
}

export function consignmentPrefix(reference: string): string {
  return `consignments/${reference}/`
}
export function attemptClaimKey(reference: string, attempt: number): string {
  return `${consignmentPrefix(reference)}attempts/${pad(attempt)}.json`
}
export function attemptPrefix(attempt: Pick<Attempt, 'reference' | 'number'>): string {
  return `${consignmentPrefix(attempt.reference)}${pad(attempt.number)}/`
}
export function decisionsPrefix(attempt: Pick<Attempt, 'reference' | 'number'>): string {
  return `${attemptPrefix(attempt)}decisions/`
}
export const parts = {
  listing: 'listing/',
  inventory: 'inventory/',
  missing: 'missing/',
  notes: 'notes/',
  metadata: 'metadata/',
} as const
export type PartSeries = keyof typeof parts

export function partKey(attempt: Attempt, series: PartSeries, number: number): string {
  return `${attemptPrefix(attempt)}${parts[series]}${pad(number)}.jsonl`
}
export function intakeKey(attempt: Attempt): string {
  return `${attemptPrefix(attempt)}intake.json`
}
export function planKey(attempt: Attempt): string {
  return `${attemptPrefix(attempt)}plan.json`
}
export function resultsPrefix(attempt: Attempt, version: number): string {
  return `${attemptPrefix(attempt)}results/${version}/`
}
export function resultKey(attempt: Attempt, version: number, chunk: number): string {
  return `${resultsPrefix(attempt, version)}${pad(chunk)}.jsonl`
}
/** The commit of the metadata's own results; their findings are the series of the same name. */
export function metadataSummaryKey(attempt: Attempt): string {
  return `${attemptPrefix(attempt)}metadata.json`
}
export function triesPrefix(attempt: Attempt, version: number): string {
  return `${attemptPrefix(attempt)}tries/${version}/`
}
export function tryKey(attempt: Attempt, version: number, chunk: number, number: number): string {
  return `${triesPrefix(attempt, version)}${pad(chunk)}/${pad(number)}.json`
}
/** What became of each time a schedule rang, by its UTC minute: slots sort by time. */
export function slotsPrefix(schedule: string): string {
  return `slots/${schedule}/`
}
export function slotPrefix(schedule: string, slotUtc: number): string {
  return `${slotsPrefix(schedule)}${slotName(slotUtc)}/`
}
/** `20261124T0900Z`. */
export function slotName(slotUtc: number): string {
  return `${new Date(slotUtc).toISOString().slice(0, 16).replace(/[-:]/g, '')}Z`
}
/** Pauses and resumptions of a schedule, in order. */
export function pausesPrefix(schedule: string): string {
  return `schedules/${schedule}/pauses/`
}
/** That a chunk was put in the queue: one object for each time. Only for work spread by a queue. */
export function queuedPrefix(attempt: Attempt, version: number): string {
  return `${attemptPrefix(attempt)}queued/${version}/`
}
export function queuedKey(
  attempt: Attempt,
  version: number,
  chunk: number,
  number: number,
): string {
  return `${queuedPrefix(attempt, version)}${pad(chunk)}/${pad(number)}.json`
}
/** Whose turn it is to seal a transfer, and to merge an attempt. */
export function sealTurns(transfer: TransferAddress): string {
  return `turns/seal/${transfer.zone}/${transfer.integrator}/${transfer.source}/${transfer.transferId}/`
}
export function mergeTurns(attempt: Attempt, version: number): string {
  return `${attemptPrefix(attempt)}turns/merge-${version}/`
}
/** That a transfer was put in the queue to be opened: one object for each time. */
export function admittedPrefix(transfer: TransferAddress): string {
  return `turns/admitted/${transfer.zone}/${transfer.integrator}/${transfer.source}/${transfer.transferId}/`
}
export function admittedKey(transfer: TransferAddress, number: number): string {
  return `${admittedPrefix(transfer)}${pad(number)}.json`
}
export function checkpointsPrefix(attempt: Attempt): string {
  return `${attemptPrefix(attempt)}checkpoints/`
}
export function eventKey(attempt: Attempt, name: string): string {
  return `${attemptPrefix(attempt)}events/${name}.json`
}
/** S3 versions that were read for a chunk, by position. */
export function versionsKey(attempt: Attempt, version: number, chunk: number): string {
  return eventKey(attempt, `versions-${version}-${chunk}`)
}
/** That the keeper of the records has them. */
export function handoverKey(attempt: Attempt): string {
  return `${attemptPrefix(attempt)}handed-over.json`
}
export function relistKey(attempt: Attempt, version: number): string {
  return `${attemptPrefix(attempt)}relist/${version}.jsonl`
}
/** What a daily look at the drop zone found changed in a delivered, undecided transfer. */
export function driftPrefix(attempt: Attempt): string {
  return `${attemptPrefix(attempt)}drift/`
}
export function dailyRelistKey(zone: string, day: string): string {
  return `relisted/${zone}/${day}.json`
}
export function recheckKey(attempt: Attempt, version: number): string {
  return `${attemptPrefix(attempt)}rechecks/${version}.json`
}
export function summaryKey(reference: string, attempt: number, version: number): string {
  return `index/summaries/${reference}/${pad(attempt)}-${pad(version)}.json`
}

/** What the service was asked for: the transfers begun through it, by integrator. */
export function initiatedPrefix(transfer: Pick<TransferAddress, 'zone' | 'integrator'>): string {
  return `service/transfers/${transfer.zone}/${transfer.integrator}/`
}
export function initiatedKey(transfer: TransferAddress): string {
  return `${initiatedPrefix(transfer)}${transfer.source}/${transfer.transferId}.json`
}
/** Which transfer a repeated request is about. `digest`: of the key that the caller gave it. */
export function repeatKey(integrator: string, digest: string): string {
  return `service/repeats/${integrator}/${digest}.json`
}
/** Why the service would not have a transfer completed. */
export function refusedKey(transfer: TransferAddress): string {
  return `service/refused/${transfer.zone}/${transfer.integrator}/${transfer.source}/${transfer.transferId}.json`
}
/** What operators and archivists did. `day`: YYYY-MM-DD in UTC. */
export const AUDIT = 'audit/'
export function auditKey(instant: Date, id: string): string {
  const at = instant.toISOString()
  return `${AUDIT}${at.slice(0, 10)}/${at.replaceAll(':', '-')}-${id}.json`
}

/** In the reports store: an integrator can be let read its own prefix and nothing else. */
export function reportPrefix(attempt: Attempt, version: number): string {
  return `${attempt.transfer.integrator}/${attempt.reference}/attempt-${attempt.number}/version-${version}/`
}
export function deliveredKey(attempt: Attempt, version: number): string {
  return `${reportPrefix(attempt, version)}delivered.json`
}
export function statusKey(transfer: TransferAddress): string {
  return `${transfer.integrator}/${transfer.source}/${transfer.transferId}/status.json`
}

function pad(number: number): string {
  return String(number).padStart(5, '0')
}
