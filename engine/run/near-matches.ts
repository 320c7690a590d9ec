import { groupSorted, missingFile, type Claimed, type MissingFile } from '../flow/match.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import { compareKeys } from '../model/key-order.ts'
import type { ExternalSort } from '../scratch/external-sort.ts'

/** What documents say of one file that they do not name by its key. */
export type NamedOtherwise = {
  readonly claims: readonly Claimed[]
  /** By the path that its sidecar gives it; else the names are only alike. */
  readonly exactly: boolean
}

/**
 * Pair what is named but not there with what is there but not named: first where the path in a
 * file's sidecar is the name, then where only Unicode form, case or separator differs and the pair
 * is unambiguous.
 */
export function matchSimilar(
  leftovers: ExternalSort,
  unmatched: ExternalSort,
): { byKey: Map<string, NamedOtherwise>; usedTargets: Set<string> } {
  const byKey = new Map<string, NamedOtherwise>()
  const usedTargets = new Set<string>()
  if (leftovers.count === 0 || unmatched.count === 0) return { byKey, usedTargets }
  const pair = (key: string, target: string, claims: readonly Claimed[], exactly: boolean) => {
    byKey.set(key, { claims, exactly })
    usedTargets.add(target)
  }
  const files = groupSorted(unmatched.sorted(), ({ sortKey }) => sortKey)
  let file = files.next()
  for (const { key, values } of groupSorted(leftovers.sorted(), ({ sortKey }) => sortKey)) {
    while (file.done !== true && compareKeys(file.value.key, key) < 0) file = files.next()
    if (file.done === true || file.value.key !== key) continue
    const byTarget = new Map<string, Claimed[]>()
    for (const { line } of values) {
      const claim = JSON.parse(line) as Claimed
      const same = byTarget.get(claim.target)
      if (same === undefined) byTarget.set(claim.target, [claim])
      else same.push(claim)
    }
    const alike: string[] = []
    for (const { line } of file.value.values) {
      const unnamed = JSON.parse(line) as { key: string; path: string }
      const claims = byTarget.get(unnamed.path)
      if (claims === undefined || usedTargets.has(unnamed.path)) alike.push(unnamed.key)
      else pair(unnamed.key, unnamed.path, claims, true)
    }
    const left = [...byTarget].filter(([target]) => !usedTargets.has(target))
    const [[target, claims] = ['', []]] = left
    if (alike.length === 1 && left.length === 1) pair(alike[0] ?? '', target, claims, false)
  }
  return { byKey, usedTargets }
}

export function listedAs(entry: InventoryEntry, claims: readonly Claimed[]): InventoryEntry {
  const { unlisted: _unlisted, ...listed } = entry
  const first = claims[0]
  return first === undefined ? entry : { ...listed, listedAs: first.target }
}

/** What documents name and nothing received is, not even nearly. */
export function* missingFiles(
  leftovers: ExternalSort,
  used: ReadonlySet<string>,
): Generator<MissingFile> {
  for (const { values } of groupSorted(leftovers.sorted(), ({ sortKey }) => sortKey)) {
    const claims = values
      .map(({ line }) => JSON.parse(line) as Claimed)
      .filter(({ target }) => !used.has(target))
    for (const { key, values: ofOne } of groupSorted(
      claims.sort((a, b) => compareKeys(a.target, b.target)),
      ({ target }) => target,
    )) {
      const missing = missingFile(key, ofOne)
      if (missing !== undefined) yield missing
    }
  }
}
