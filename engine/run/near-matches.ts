import { groupSorted, missingFile, type Claimed, type MissingFile } from '../flow/match.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import { compareKeys } from '../model/key-order.ts'
import type { ExternalSort } from '../scratch/external-sort.ts'

/** What documents say of one file that they do not name by its key. */
export type NamedOtherwise = {
  readonly key: string
  readonly claims: readonly Claimed[]
  /** By the path that its sidecar gives it; else the names are only alike. */
  readonly exactly: boolean
}

/** A file that nothing names by its key, and the path that documents may name it by. */
export type UnnamedFile = { readonly key: string; readonly path: string }

/**
 * Pair what is named but not there with what is there but not named: first where the path in a
 * file's sidecar is the name, then where only Unicode form, case or separator differs and the pair
 * is unambiguous. What finds no file is missing. Both sorts are by match key.
 */
export function* nearMatches(
  leftovers: ExternalSort,
  unnamed: ExternalSort,
): Generator<NamedOtherwise | MissingFile> {
  const files = groupSorted(unnamed.sorted(), ({ sortKey }) => sortKey)
  let file = files.next()
  for (const { key, values } of groupSorted(leftovers.sorted(), ({ sortKey }) => sortKey)) {
    while (file.done !== true && compareKeys(file.value.key, key) < 0) file = files.next()
    const alike = file.done === true || file.value.key !== key ? [] : file.value.values
    yield* matchAlike(
      values.map(({ line }) => JSON.parse(line) as Claimed),
      alike.map(({ line }) => JSON.parse(line) as UnnamedFile),
    )
  }
}

/** Claims and files of one match key. */
function* matchAlike(
  claims: readonly Claimed[],
  files: readonly UnnamedFile[],
): Generator<NamedOtherwise | MissingFile> {
  const byTarget = new Map<string, Claimed[]>()
  for (const claim of [...claims].sort((a, b) => compareKeys(a.target, b.target))) {
    const same = byTarget.get(claim.target)
    if (same === undefined) byTarget.set(claim.target, [claim])
    else same.push(claim)
  }
  const unpaired: UnnamedFile[] = []
  for (const file of files) {
    const named = byTarget.get(file.path)
    if (named === undefined) unpaired.push(file)
    else yield { key: file.key, claims: named, exactly: true }
    byTarget.delete(file.path)
  }
  const [file, ...others] = unpaired
  const [target, ...otherTargets] = byTarget.keys()
  if (file !== undefined && target !== undefined && others.length + otherTargets.length === 0) {
    yield { key: file.key, claims: byTarget.get(target) ?? [], exactly: false }
    return
  }
  for (const [path, ofOne] of byTarget) {
    const missing = missingFile(path, ofOne)
    if (missing !== undefined) yield missing
  }
}

export function listedAs(entry: InventoryEntry, claims: readonly Claimed[]): InventoryEntry {
  const { unlisted: _unlisted, ...listed } = entry
  const first = claims[0]
  return first === undefined ? entry : { ...listed, listedAs: first.target }
}
