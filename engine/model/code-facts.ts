/** Who has to do something about a finding. */
export type Actor = 'sender' | 'archivist' | 'nobody'

/** error: blocks; warning: should be read; info: worth knowing. */
export type Severity = 'error' | 'warning' | 'info'

/** A row of the report's table of checks, in the order they print. */
export const checks = {
  received: 'Received completely',
  sealed: 'Unchanged since sealing',
  fixity: "Sender's checksum equals ours",
  digest: 'SHA-256 computed by us',
  malware: 'Malware',
  format: 'File format',
  names: 'Names and sizes',
  metadata: 'Metadata rows',
  reconciliation: 'Metadata matched to files',
} as const
export type CheckId = keyof typeof checks

export type CodeFacts = {
  readonly check: CheckId
  readonly severity: Severity
  readonly actor: Actor
  /** What is wrong, in plain English, for any number of places: no path, no value. */
  readonly sentence: string
  readonly howToFix: string
}
