import type { Store, StoredObject } from '../adapters/store.ts'
import { joinSorted } from '../flow/match.ts'
import type { Finding } from '../model/finding.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import { compareKeys } from '../model/key-order.ts'
import { transferPrefix, type Attempt } from '../model/transfer.ts'
import type { CheckedFile } from '../pool/messages.ts'
import { readParts, type PartSummary, type PartWriter } from './parts.ts'
import type { Taken } from './take.ts'

/** The attempt that a correction corrects, as it was sealed. */
export type BaseAttempt = {
  readonly attempt: Attempt
  readonly intake: { readonly sealedAt: string; readonly inventory: readonly PartSummary[] }
}

/** What the base attempt already read, in the order of its inventory. */
export type BaseResults = (base: Attempt) => AsyncIterable<CheckedFile>

/** What the entries of one attempt are made of. */
export type EntrySources = {
  readonly attempt: Attempt
  readonly taken: Taken
  readonly listing: readonly PartSummary[]
  readonly state: Store
  /** By key of the record that each belongs to. */
  readonly sidecars: Iterable<StoredObject>
  readonly base: BaseAttempt | undefined
  readonly counts: { added: number; replaced: number; removed: number; carriedOver: number }
  readonly notes: PartWriter<Finding>
  readonly zoneStore: Store
  readonly baseResults: BaseResults | undefined
}

/** This transfer's own records, and for a correction those that carry over, in key order. */
export async function* entriesInKeyOrder(from: EntrySources): AsyncGenerator<InventoryEntry> {
  const own = joinSorted(
    ownRecords(from.state, from.attempt, from.listing),
    (object) => object.key,
    from.sidecars,
    (sidecar) => `records/${sidecar.key.slice('metadata/'.length, -'.metadata'.length)}`,
    compareKeys,
  )
  const ownEntries = (async function* () {
    for await (const { key, left, right } of own) {
      const sidecar = right[0]
      if (left === undefined) {
        if (sidecar !== undefined && from.base === undefined)
          await from.notes.add({
            code: 'SIDECAR.WITHOUT_RECORD',
            path: key,
            place: { document: sidecar.key },
          })
        continue
      }
      yield toEntry(left, sidecar)
    }
  })()
  if (from.base === undefined) {
    yield* ownEntries
    return
  }
  const removed = new Set(from.taken.completion.remove)
  const removedSeen = new Set<string>()
  for await (const { mine, theirs } of mergeEntries(ownEntries, baseEntries(from, from.base))) {
    if (mine !== undefined) {
      from.counts[theirs === undefined ? 'added' : 'replaced']++
      yield mine
    } else if (theirs !== undefined) {
      const path = theirs.key.slice('records/'.length)
      if (removed.has(path) || removed.has(theirs.path)) {
        removedSeen.add(removed.has(path) ? path : theirs.path)
        from.counts.removed++
      } else {
        from.counts.carriedOver++
        yield theirs
      }
    }
  }
  for (const path of removed) {
    if (!removedSeen.has(path)) await from.notes.add({ code: 'CORRECTION.REMOVE_UNKNOWN', path })
  }
}

async function* ownRecords(
  state: Store,
  attempt: Attempt,
  listing: readonly PartSummary[],
): AsyncGenerator<StoredObject> {
  for await (const object of readParts<StoredObject>(state, attempt, 'listing', listing.length)) {
    if (object.key.startsWith('records/')) yield object
  }
}

function toEntry(object: StoredObject, sidecar: StoredObject | undefined): InventoryEntry {
  return {
    key: object.key,
    path: object.key.slice('records/'.length),
    sizeBytes: object.sizeBytes,
    etag: object.etag,
    stated: [],
    ...(object.irregular === undefined ? {} : { irregular: object.irregular }),
    ...(sidecar === undefined
      ? {}
      : { sidecar: { key: sidecar.key, sizeBytes: sidecar.sizeBytes, etag: sidecar.etag } }),
  }
}

/** The earlier attempt's files as they stand now: unread again where nothing changed. */
async function* baseEntries(from: EntrySources, base: BaseAttempt): AsyncGenerator<InventoryEntry> {
  const root = transferPrefix(base.attempt.transfer)
  const results = from.baseResults?.(base.attempt)[Symbol.asyncIterator]()
  const checkedOn = base.intake.sealedAt.slice(0, 10)
  for await (const entry of readParts<InventoryEntry>(
    from.state,
    base.attempt,
    'inventory',
    base.intake.inventory.length,
  )) {
    const result = await results?.next()
    const digests = result === undefined || result.done === true ? {} : result.value.digests
    const where = entry.root ?? root
    const now = await from.zoneStore.head(where + entry.key)
    if (now === undefined) continue
    const { carried, unlisted: _unlisted, listedAs: _listedAs, row: _row, ...kept } = entry
    const unchanged = now.etag === entry.etag && digests.sha256 !== undefined
    yield {
      ...kept,
      stated: entry.sidecar === undefined ? [] : entry.stated,
      etag: now.etag,
      sizeBytes: now.sizeBytes,
      root: where,
      ...(entry.sidecar === undefined
        ? {}
        : { sidecar: { ...entry.sidecar, root: entry.sidecar.root ?? where } }),
      ...(unchanged
        ? {
            carried: {
              attempt: carried?.attempt ?? base.attempt.number,
              checkedOn: carried?.checkedOn ?? checkedOn,
              digests,
            },
          }
        : {}),
    }
  }
}

async function* mergeEntries(
  mine: AsyncIterable<InventoryEntry>,
  theirs: AsyncIterable<InventoryEntry>,
): AsyncGenerator<{ mine?: InventoryEntry; theirs?: InventoryEntry }> {
  const other = theirs[Symbol.asyncIterator]()
  let next = await other.next()
  for await (const entry of mine) {
    while (next.done !== true && compareKeys(next.value.key, entry.key) < 0) {
      yield { theirs: next.value }
      next = await other.next()
    }
    if (next.done !== true && next.value.key === entry.key) {
      yield { mine: entry, theirs: next.value }
      next = await other.next()
    } else yield { mine: entry }
  }
  for (; next.done !== true; next = await other.next()) yield { theirs: next.value }
}
