import type { TransferAddress } from '../model/transfer.ts'

/** How far a transfer has come, as its markers tell. */
export type Progress = {
  readonly transfer: TransferAddress
  readonly taken: boolean
  readonly sealed: boolean
  /** Highest report version delivered; 0 for none. */
  readonly deliveredVersion: number
  /** Highest report version that a recheck asked for; 0 for none. */
  readonly recheckVersion: number
  readonly decided: boolean
}

/**
 * Fold the marker keys of one zone, in key order, into one progress record a transfer.
 * A key that is no marker is ignored: a later release may write more of them.
 */
export async function* foldMarkers(
  zone: string,
  markerKeys: AsyncIterable<string>,
): AsyncGenerator<Progress> {
  let current: Progress | undefined
  for await (const key of markerKeys) {
    const [integrator, source, transferId, marker, ...rest] = key.split('/')
    if (
      integrator === undefined ||
      source === undefined ||
      transferId === undefined ||
      marker === undefined ||
      rest.length > 0
    ) {
      continue
    }
    const transfer = { zone, integrator, source, transferId }
    if (current === undefined || !sameTransfer(current.transfer, transfer)) {
      if (current !== undefined) yield current
      current = {
        transfer,
        taken: false,
        sealed: false,
        deliveredVersion: 0,
        recheckVersion: 0,
        decided: false,
      }
    }
    current = applyMarker(current, marker)
  }
  if (current !== undefined) yield current
}

function applyMarker(progress: Progress, marker: string): Progress {
  if (marker === 'taken.json') return { ...progress, taken: true }
  if (marker === 'sealed.json') return { ...progress, sealed: true }
  if (marker === 'decided.json') return { ...progress, decided: true }
  const [, what, version] = /^(delivered|recheck)-(\d+)\.json$/.exec(marker) ?? []
  if (what === undefined) return progress
  const name = what === 'delivered' ? 'deliveredVersion' : 'recheckVersion'
  return { ...progress, [name]: Math.max(progress[name], Number(version)) }
}

export function sameTransfer(a: TransferAddress, b: TransferAddress): boolean {
  return (
    a.zone === b.zone &&
    a.integrator === b.integrator &&
    a.source === b.source &&
    a.transferId === b.transferId
  )
}
