import type { Store, StoredObject } from '../adapters/store.ts'
import { completionNumber } from '../flow/completion.ts'
import { transferPrefix, type Attempt } from '../model/transfer.ts'
import type { ExternalSort } from '../scratch/external-sort.ts'
import { bagPartOf } from '../sources/bagit.ts'
import { BagFinder, type Bag } from './bags.ts'
import { PartWriter, readParts, summariseParts, type PartSummary } from './parts.ts'

/** Write the drop zone's listing down, going on after the last part of an interrupted run. */
export async function sealListing(
  zoneStore: Store,
  state: Store,
  attempt: Attempt,
): Promise<readonly PartSummary[]> {
  const prefix = transferPrefix(attempt.transfer)
  const after = await summariseParts(state, attempt, 'listing')
  const writer = new PartWriter<StoredObject>(state, attempt, 'listing', {
    keyOf: (object) => object.key,
    after,
  })
  const last = after.at(-1)?.lastKey
  for await (const object of zoneStore.list({
    prefix,
    ...(last === undefined ? {} : { startAfter: prefix + last }),
  })) {
    await writer.add({ ...object, key: object.key.slice(prefix.length) })
  }
  return writer.end()
}

/** What a transfer turns out to hold, besides its records. */
export type Survey = {
  readonly documents: readonly StoredObject[]
  readonly strays: readonly string[]
  /** The one folder all records lie in, if there is one. */
  readonly topFolder: string | undefined
  readonly bags: readonly Bag[]
  /** Whether there is any sidecar, of a record or of none. */
  readonly sidecars: boolean
}

const STRAYS_NAMED = 1000

export async function surveyListing(
  state: Store,
  attempt: Attempt,
  listing: readonly PartSummary[],
): Promise<Survey> {
  const documents: StoredObject[] = []
  const strays: string[] = []
  const topFolders = new Set<string>()
  const bags = new BagFinder()
  let sidecars = false
  for await (const object of readParts<StoredObject>(state, attempt, 'listing', listing.length)) {
    if (object.key.startsWith('records/')) {
      bags.see(object)
      const slash = object.key.indexOf('/', 'records/'.length)
      if (topFolders.size < 2)
        topFolders.add(slash < 0 ? '' : object.key.slice('records/'.length, slash))
    } else if (/^(?:dryrun)?metadata\//.test(object.key)) {
      if (object.key.endsWith('.metadata')) sidecars = true
      else if (object.irregular === undefined) documents.push(object)
    } else if (completionNumber(object.key) === undefined && strays.length < STRAYS_NAMED) {
      strays.push(object.key)
    }
  }
  const [only, ...others] = topFolders
  return {
    documents,
    strays,
    topFolder: others.length === 0 && only !== '' ? only : undefined,
    bags: bags.found(),
    sidecars,
  }
}

export function manifestsOf({ parts: tagFiles }: Bag): StoredObject[] {
  return [...tagFiles]
    .filter(([name]) => bagPartOf(name)?.kind.endsWith('manifest'))
    .map(([, object]) => object)
}

/** Sidecars by the matchId in their name, to be joined with `records/{matchId}`. */
export async function collectSidecars(
  state: Store,
  attempt: Attempt,
  listing: readonly PartSummary[],
  sidecars: ExternalSort,
): Promise<void> {
  for await (const object of readParts<StoredObject>(state, attempt, 'listing', listing.length)) {
    const matchId = /^metadata\/([^/]+)\.metadata$/.exec(object.key)?.[1]
    if (matchId !== undefined && object.irregular === undefined)
      sidecars.add(`records/${matchId}`, JSON.stringify(object))
  }
}
