import type { Digests, Place, StatedChecksum } from './checksum.ts'

/**
 * One file of a sealed transfer, in key order. Written once when the transfer is sealed; every
 * later step works from this and never lists the drop zone again to find out what there is.
 */
export type InventoryEntry = {
  /** Key below the transfer's root, for example `records/Finance/report.txt`. Never normalised. */
  readonly key: string
  /**
   * The sender's own path: from the sidecar if there is one, else the key below `records/`.
   * "/"-separated, otherwise exactly as sent: reports quote it back.
   */
  readonly path: string
  readonly sizeBytes: number
  /** From the listing; reads are pinned to it. */
  readonly etag: string
  /** Prefix of the transfer that holds the bytes, where a correction takes them from an earlier one. */
  readonly root?: string
  /** Everything the sender stated about the bytes, from every manifest and sidecar. */
  readonly stated: readonly StatedChecksum[]
  /** Size the sender stated, where it did. */
  readonly statedSizeBytes?: number
  /** Listed by the sender under this path, which differs only in case, separator or Unicode form. */
  readonly listedAs?: string
  /** No document that lists all files lists this one. */
  readonly unlisted?: boolean
  /** The metadata row that names this file. */
  readonly row?: Place
  /** Why no checksum can have been stated (Google-native documents). */
  readonly noChecksumBecause?: string
  /** A thing in a folder that is not a regular file, and so is never opened. */
  readonly irregular?: 'symbolic link' | 'FIFO' | 'socket' | 'device'
  /** The record's own metadata object (TDR's layout), read together with it. */
  readonly sidecar?: {
    readonly key: string
    readonly sizeBytes: number
    readonly etag: string
    readonly root?: string
  }
  /** Set on a correction for a file that is taken over unread from an earlier attempt. */
  readonly carried?: CarriedOver
}

/** What an earlier attempt found out about bytes that have not changed since. */
export type CarriedOver = {
  readonly attempt: number
  /** ISO date on which that attempt read the bytes. */
  readonly checkedOn: string
  readonly digests: Digests
}
