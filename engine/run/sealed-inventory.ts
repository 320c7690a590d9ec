import type { Store } from '../adapters/store.ts'
import {
  applyClaims,
  contradictoryRows,
  duplicateRows,
  joinSorted,
  protectedDiffers,
  type Claimed,
  type MissingFile,
} from '../flow/match.ts'
import { matchKey } from '../flow/match-key.ts'
import type { Finding } from '../model/finding.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import { compareKeys } from '../model/key-order.ts'
import { transferPrefix, type Attempt } from '../model/transfer.ts'
import { ExternalSort } from '../scratch/external-sort.ts'
import type { OpenBag } from './bags.ts'
import { listedAs, nearMatches, type NamedOtherwise } from './near-matches.ts'
import { PartWriter, type PartSummary } from './parts.ts'
import { UnnamedFiles } from './sidecar-paths.ts'

export type InventoryOptions = {
  readonly attempt: Attempt
  readonly state: Store
  readonly zoneStore: Store
  readonly scratch: string
  /** What documents say of files, by target. */
  readonly claims: ExternalSort
  readonly bags: readonly OpenBag[]
  /** Whether a document lists all files, so that one it does not name is unexpected. */
  readonly isListed: boolean
  readonly notes: PartWriter<Finding>
}

export type SealedInventory = {
  readonly inventory: readonly PartSummary[]
  readonly missing: readonly PartSummary[]
  readonly files: number
  readonly bytes: number
  readonly sidecars: boolean
}

/** A file with what names it by its key, on its way to the pass that looks at names alike. */
type Joined = { readonly entry: InventoryEntry; readonly isNamed: boolean }

/**
 * Join the files, in key order, with what documents say of them, and write the inventory and what is
 * missing. Nothing is held that grows with the consignment.
 */
export async function sealInventory(
  entries: AsyncIterable<InventoryEntry>,
  options: InventoryOptions,
): Promise<SealedInventory> {
  const { attempt, state, claims, bags, notes, scratch } = options
  const inventory = new PartWriter<InventoryEntry>(state, attempt, 'inventory', {
    keyOf: (entry) => entry.key,
  })
  const missing = new PartWriter<MissingFile>(state, attempt, 'missing')
  const totals = { files: 0, bytes: 0, sidecars: false }
  const seal = async (entry: InventoryEntry) => {
    totals.files++
    totals.bytes += entry.sizeBytes
    totals.sidecars ||= entry.sidecar !== undefined
    await inventory.add(entry)
  }
  const note = async (findings: Iterable<Finding>) => {
    for (const finding of findings) await notes.add(finding)
  }
  const bagOf = (key: string) => bags.find((bag) => bag.holds(key))

  const [leftovers, unnamed, joined, named] = Array.from(
    { length: 4 },
    () => new ExternalSort(scratch),
  ) as [ExternalSort, ExternalSort, ExternalSort, ExternalSort]
  try {
    const unnamedFiles = new UnnamedFiles(
      unnamed,
      options.zoneStore,
      transferPrefix(attempt.transfer),
    )
    // Without statements nothing can be named nearly, and what is listed is sealed as it goes by.
    const inOnePass = claims.count === 0 && bags.length === 0
    for await (const { key, left, right } of joinSorted(
      entries,
      (entry) => entry.key,
      claims.parsed<Claimed>(),
      (claim) => `records/${claim.target}`,
      compareKeys,
    )) {
      if (left === undefined) {
        for (const claim of right) leftovers.add(matchKey(claim.target), JSON.stringify(claim))
        continue
      }
      await note(findingsOfClaims(right))
      const bag = bagOf(key)
      const isNamed = right.length > 0
      if (isNamed) await note(bag?.match(key, left.sizeBytes, right) ?? [])
      const listed = right.some((claim) => !claim.isRow) || bag?.isTagFile(key) === true
      const isUnlisted =
        options.isListed && !listed && left.sidecar === undefined && left.carried === undefined
      const entry: InventoryEntry = {
        ...applyClaims(left, right),
        ...(isUnlisted ? { unlisted: true } : {}),
      }
      if (inOnePass) await seal(entry)
      else {
        joined.add(key, JSON.stringify({ entry, isNamed } satisfies Joined))
        if (!isNamed) await unnamedFiles.add(entry)
      }
    }
    await unnamedFiles.end()

    for (const match of nearMatches(leftovers, unnamed)) {
      if ('claims' in match) named.add(match.key, JSON.stringify(match))
      else await missing.add(match)
    }
    for await (const { key, left, right } of joinSorted(
      joined.parsed<Joined>(),
      ({ entry }) => entry.key,
      named.parsed<NamedOtherwise>(),
      (match) => match.key,
      compareKeys,
    )) {
      if (left === undefined) throw new Error(`bug: ${key} was named and is not there`)
      const [match] = right
      if (match?.exactly === true) await note(findingsOfClaims(match.claims))
      // Its bag has not heard of it yet: it does now, with what names it otherwise, or nothing does.
      if (!left.isNamed)
        await note(bagOf(key)?.match(key, left.entry.sizeBytes, match?.claims ?? []) ?? [])
      await seal(match === undefined ? left.entry : applyMatch(left.entry, match))
    }
    for (const bag of bags) await note(bag.end())
    return { inventory: await inventory.end(), missing: await missing.end(), ...totals }
  } finally {
    for (const sort of [leftovers, unnamed, joined, named]) sort.dispose()
  }
}

function findingsOfClaims(claims: readonly Claimed[]): Finding[] {
  return [...duplicateRows(claims), ...protectedDiffers(claims), ...contradictoryRows(claims)]
}

function applyMatch(entry: InventoryEntry, { claims, exactly }: NamedOtherwise): InventoryEntry {
  const applied = applyClaims(entry, claims)
  return exactly ? applied : listedAs(applied, claims)
}
