import type { Place } from './checksum.ts'
import type { FindingCode } from './codes.ts'

/**
 * A fact about the consignment, for the sender or the archivist. Who must act, how grave it is,
 * the sentence and how to fix it all follow from `code` (codes.ts): a finding holds only what is
 * particular to this one place.
 */
export type Finding = {
  readonly code: FindingCode
  /** The sender's path of the file concerned, as sent. */
  readonly path?: string
  readonly place?: Place
  /** What was found, quoted; never shortened here. */
  readonly value?: string
  /** What would have been right, where one thing would. */
  readonly expected?: string
  /** One plain sentence with the particulars, where the general sentence of the code is not enough. */
  readonly detail?: string
}

/** We could not find something out. Never a fact about the consignment, and never shown as one. */
export type Unchecked = {
  readonly reason: UncheckedReason
  readonly path?: string
  /** Plain English for the report; no bucket names, no stack. */
  readonly message: string
  readonly retryable: boolean
}

export type UncheckedReason =
  | 'unavailable' // the store did not answer, after retries
  | 'denied' // the store refused us
  | 'limit' // larger or longer than a limit we set
  | 'cancelled' // we were told to stop
  | 'crashed' // reading it ended the worker, three times
  | 'pending' // an outside scanner has not finished yet
