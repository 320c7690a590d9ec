import type { Store, StoredObject } from '../adapters/store.ts'
import type { DropZone } from '../config.ts'
import { completionNumber } from '../flow/completion.ts'
import { foldMarkers, type Progress } from '../flow/discover.ts'
import { compareKeys } from '../model/key-order.ts'
import { transferPrefix, type TransferAddress } from '../model/transfer.ts'
import { createHash } from 'node:crypto'
import { claim } from './create-once.ts'
import { markerKey, quietKey, zoneMarkers } from './state-layout.ts'
import { newestCompletion } from './take.ts'

export type Due = {
  readonly transfer: TransferAddress
  readonly progress: Progress | undefined
}

/**
 * Every transfer of a zone that is complete and has no report yet, in key order; a correction
 * comes after what it corrects has its report, be it in this sweep or in a later one.
 *
 * One listing per level of the drop zone and one flat listing of markers: no request for a
 * transfer that is finished.
 */
export async function* dueTransfers(
  zone: DropZone,
  zoneStore: Store,
  state: Store,
  now: Date,
): AsyncGenerator<Due> {
  const known = foldMarkers(zone.name, markerKeys(state, zone.name))
  const early: TransferAddress[] = []
  let next = await known.next()
  for await (const transfer of transfersIn(zone.name, zoneStore)) {
    const key = transferPrefix(transfer)
    while (next.done !== true && compareKeys(transferPrefix(next.value.transfer), key) < 0)
      next = await known.next()
    const progress =
      next.done !== true && transferPrefix(next.value.transfer) === key ? next.value : undefined
    if (progress !== undefined && (progress.decided || isReported(progress))) continue
    if (progress?.taken !== true) {
      if (!(await isComplete(zone, zoneStore, state, transfer, now))) continue
      if (await correctsUnreported(zoneStore, state, transfer)) {
        early.push(transfer)
        continue
      }
    }
    yield { transfer, progress }
  }
  for (const transfer of early) {
    if (!(await correctsUnreported(zoneStore, state, transfer)))
      yield { transfer, progress: undefined }
  }
}

/** Whether a transfer corrects one that is on its way and has no report yet. */
export async function correctsUnreported(
  zoneStore: Store,
  state: Store,
  transfer: TransferAddress,
): Promise<boolean> {
  const read = await newestCompletion(zoneStore, transfer)
  const corrects = read?.kind === 'valid' ? read.completion.corrects : undefined
  if (corrects === undefined || corrects === transfer.transferId || !isName(corrects)) return false
  const base = { ...transfer, transferId: corrects }
  if ((await state.head(markerKey(base, 'delivered-1.json'))) !== undefined) return false
  if ((await state.head(markerKey(base, 'taken.json'))) !== undefined) return true
  for await (const { kind, name } of zoneStore.listLevel(transferPrefix(base)))
    if (kind === 'object' && completionNumber(name) !== undefined) return true
  return false
}

/** One level of a key, so that nothing a sender writes leads out of its own folder. */
function isName(text: string): boolean {
  return !text.includes('/') && text !== '.' && text !== '..' && text !== ''
}

function isReported({ deliveredVersion, recheckVersion }: Progress): boolean {
  return deliveredVersion >= Math.max(1, recheckVersion)
}

/** Delivered and not decided yet: what a daily look at the drop zone is about. */
export async function* undecidedTransfers(
  zone: DropZone,
  state: Store,
): AsyncGenerator<TransferAddress> {
  for await (const progress of foldMarkers(zone.name, markerKeys(state, zone.name))) {
    if (progress.deliveredVersion > 0 && !progress.decided) yield progress.transfer
  }
}

async function* markerKeys(state: Store, zone: string): AsyncGenerator<string> {
  const prefix = zoneMarkers(zone)
  for await (const { key } of state.list({ prefix })) yield key.slice(prefix.length)
}

async function* transfersIn(zone: string, zoneStore: Store): AsyncGenerator<TransferAddress> {
  for (const integrator of await folders(zoneStore, '')) {
    for (const source of await folders(zoneStore, `${integrator}/`)) {
      for (const transferId of await folders(zoneStore, `${integrator}/${source}/`)) {
        yield { zone, integrator, source, transferId }
      }
    }
  }
}

async function folders(zoneStore: Store, prefix: string): Promise<string[]> {
  const names: string[] = []
  for await (const { kind, name } of zoneStore.listLevel(prefix))
    if (kind === 'folder') names.push(name)
  return names
}

async function isComplete(
  zone: DropZone,
  zoneStore: Store,
  state: Store,
  transfer: TransferAddress,
  now: Date,
): Promise<boolean> {
  for await (const { kind, name } of zoneStore.listLevel(transferPrefix(transfer))) {
    if (kind === 'object' && completionNumber(name) !== undefined) return true
  }
  return (
    zone.quietMinutes !== null &&
    (await isQuiet(zoneStore, state, transfer, zone.quietMinutes, now))
  )
}

type Fingerprint = { readonly digest: string; readonly at: string }

/**
 * Quiet: two equal fingerprints of the listing at least a period apart and no open upload. Object
 * times are never looked at: a copy keeps the old ones.
 */
async function isQuiet(
  zoneStore: Store,
  state: Store,
  transfer: TransferAddress,
  quietMinutes: number,
  now: Date,
): Promise<boolean> {
  const prefix = transferPrefix(transfer)
  if (await zoneStore.hasOpenUploads(prefix)) return false
  const digest = await fingerprint(zoneStore.list({ prefix }))
  if (digest === undefined) return false
  for (let number = await newestQuietNumber(state, transfer); ; number++) {
    const { won, value }: { won: boolean; value: Fingerprint } = await claim(
      state,
      quietKey(transfer, number),
      { digest, at: now.toISOString() },
    )
    if (won) return false
    if (value.digest === digest)
      return now.getTime() - Date.parse(value.at) >= quietMinutes * 60_000
  }
}

/** Fingerprints are numbered from 0; only the newest can match. */
async function newestQuietNumber(state: Store, transfer: TransferAddress): Promise<number> {
  let count = 0
  const prefix = quietKey(transfer, 0).replace(/\d+\.json$/, '')
  for await (const _one of state.list({ prefix })) count++
  return Math.max(0, count - 1)
}

async function fingerprint(listing: AsyncIterable<StoredObject>): Promise<string | undefined> {
  const hash = createHash('sha256')
  let any = false
  for await (const { key, sizeBytes, etag } of listing) {
    any = true
    hash.update(JSON.stringify([key, sizeBytes, etag]))
  }
  return any ? hash.digest('hex') : undefined
}
