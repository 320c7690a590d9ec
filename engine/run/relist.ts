import { StoreError, type Store, type StoredObject } from '../adapters/store.ts'
import { compareKeys } from '../model/key-order.ts'
import { transferPrefix, type Attempt } from '../model/transfer.ts'
import { completionNumber } from '../flow/completion.ts'
import { readText } from './create-once.ts'
import { parseLines, readParts } from './parts.ts'
import type { Intake } from './seal.ts'
import { relistKey } from './state-layout.ts'

/** What became of one object of the transfer since it was sealed. */
export type Drift = {
  readonly key: string
  readonly code: 'FILE.CHANGED' | 'FILE.REMOVED' | 'FILE.ADDED'
}

/** Compare the drop zone as it is with the sealed listing, both in key order. */
export async function* driftSince(
  zoneStore: Store,
  state: Store,
  attempt: Attempt,
  intake: Intake,
): AsyncGenerator<Drift> {
  const prefix = transferPrefix(attempt.transfer)
  const sealed = readParts<StoredObject>(state, attempt, 'listing', intake.listing.length)
  let then = await sealed.next()
  if (intake.listing.length > 0) await refuseMissingZone(zoneStore)
  for await (const object of zoneStore.list({ prefix })) {
    const key = object.key.slice(prefix.length)
    while (then.done !== true && compareKeys(then.value.key, key) < 0) {
      yield { key: then.value.key, code: 'FILE.REMOVED' }
      then = await sealed.next()
    }
    if (then.done !== true && then.value.key === key) {
      if (then.value.etag !== object.etag) yield { key, code: 'FILE.CHANGED' }
      then = await sealed.next()
    } else if (!isLateCompletion(key)) yield { key, code: 'FILE.ADDED' }
  }
  for (; then.done !== true; then = await sealed.next()) {
    yield { key: then.value.key, code: 'FILE.REMOVED' }
  }
}

/** A drop zone that is gone altogether is a disk that is not mounted, not a sender who removed everything. */
async function refuseMissingZone(zoneStore: Store): Promise<void> {
  for await (const _entry of zoneStore.listLevel('')) return
  throw new StoreError('unavailable', '', `${zoneStore.address} is empty or not there`)
}

/** A second complete.json says nothing about files. */
function isLateCompletion(key: string): boolean {
  return completionNumber(key) !== undefined
}

/** List the transfer again, once for each report version: what is found is part of that report. */
export async function relistOnce(
  zoneStore: Store,
  state: Store,
  attempt: Attempt,
  intake: Intake,
  version: number,
): Promise<readonly Drift[]> {
  const key = relistKey(attempt, version)
  if ((await state.head(key)) === undefined) {
    const lines: string[] = []
    for await (const drift of driftSince(zoneStore, state, attempt, intake))
      lines.push(JSON.stringify(drift))
    await state.createIfAbsent(key, lines.map((line) => `${line}\n`).join(''))
  }
  return parseLines<Drift>(await readText(state, key))
}
