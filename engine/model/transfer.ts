/** One transfer's place in its drop zone: `{integrator}/{source}/{transferId}/`. */
export type TransferAddress = {
  /** Name of the drop zone in the configuration. */
  readonly zone: string
  readonly integrator: string
  readonly source: string
  readonly transferId: string
}

/** Key prefix of a transfer in its drop zone, ending in "/". */
export function transferPrefix(transfer: TransferAddress): string {
  return `${transfer.integrator}/${transfer.source}/${transfer.transferId}/`
}

/** One attempt of a consignment: the transfer that is its n-th. */
export type Attempt = {
  readonly reference: string
  /** From 1; one more for each correction. */
  readonly number: number
  readonly transfer: TransferAddress
}

/** What `complete.json` says. All but the counts may be left to the drop zone's defaults. */
export type Completion = {
  /** Of records, not sidecars. */
  readonly expectedNumberFiles?: number
  readonly loadedNumberFiles?: number
  readonly loadErrors: readonly string[]
  readonly transferringBody?: string
  readonly series?: string
  readonly contact?: string
  readonly priority?: number
  /** A reference the sender already has. */
  readonly reference?: string
  /** transferId of the earlier transfer that this one corrects. */
  readonly corrects?: string
  /** Paths (below records/) that the correction takes out. */
  readonly remove: readonly string[]
  /** Metadata alone, to be checked before any record is sent. */
  readonly metadataOnly: boolean
}
