import { groupSorted, missingFile, type Claimed, type MissingFile } from '../flow/match.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import { compareKeys } from '../model/key-order.ts'
import type { ExternalSort } from '../scratch/external-sort.ts'

/**
 * Pair what is named but not there with what is there but not named, where only Unicode form,
 * case or separator differs and the pair is unambiguous.
 */
export function matchSimilar(
  leftovers: ExternalSort,
  unmatched: ExternalSort,
): { byKey: Map<string, Claimed[]>; usedTargets: Set<string> } {
  const byKey = new Map<string, Claimed[]>()
  const usedTargets = new Set<string>()
  if (leftovers.count === 0 || unmatched.count === 0) return { byKey, usedTargets }
  const files = groupSorted(unmatched.sorted(), ({ sortKey }) => sortKey)
  let file = files.next()
  for (const { key, values } of groupSorted(leftovers.sorted(), ({ sortKey }) => sortKey)) {
    while (file.done !== true && compareKeys(file.value.key, key) < 0) file = files.next()
    if (file.done === true || file.value.key !== key || file.value.values.length !== 1) continue
    const claims = values.map(({ line }) => JSON.parse(line) as Claimed)
    if (new Set(claims.map(({ target }) => target)).size !== 1) continue
    const { key: fileKey } = JSON.parse(file.value.values[0]?.line ?? '{}') as { key: string }
    byKey.set(fileKey, claims)
    usedTargets.add(claims[0]?.target ?? '')
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
