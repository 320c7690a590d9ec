import { groupSorted, type MissingFile } from '../flow/match.ts'
import type { Attempt } from '../model/transfer.ts'
import { ExternalSort } from '../scratch/external-sort.ts'
import { checkedFiles, type Results } from './checked-files.ts'
import { readParts } from './parts.ts'
import type { Plan } from './plan.ts'
import type { Intake } from './seal.ts'

export type Renames = {
  /** Key of a received, unlisted file to the listed path whose content it has. */
  readonly byKey: ReadonlyMap<string, string>
  readonly missing: ReadonlySet<string>
}

/** Pair missing files with unlisted ones of exactly the stated content, where the pair is unambiguous. */
export async function findRenames(
  attempt: Attempt,
  intake: Intake,
  plan: Plan,
  options: Results & { readonly scratch: string },
): Promise<Renames> {
  const byKey = new Map<string, string>()
  const missing = new Set<string>()
  if (intake.missing.length === 0 || !intake.lists.files) return { byKey, missing }
  const sort = new ExternalSort(options.scratch)
  try {
    for await (const one of readParts<MissingFile>(
      options.state,
      attempt,
      'missing',
      intake.missing.length,
    )) {
      for (const { algorithm, value } of one.stated)
        sort.add(`${algorithm}:${value}`, JSON.stringify({ listed: one.path }))
    }
    for await (const { entry, checked } of checkedFiles(attempt, intake, plan, options)) {
      if (entry.unlisted !== true || entry.sizeBytes === 0) continue
      for (const [algorithm, value] of Object.entries(checked.digests))
        sort.add(`${algorithm}:${value}`, JSON.stringify({ key: entry.key }))
    }
    for (const { values } of groupSorted(sort.sorted(), ({ sortKey }) => sortKey)) {
      const sides = values.map(({ line }) => JSON.parse(line) as { listed?: string; key?: string })
      const listed = new Set(
        sides.flatMap((side) => (side.listed === undefined ? [] : [side.listed])),
      )
      const received = new Set(sides.flatMap((side) => (side.key === undefined ? [] : [side.key])))
      const [onlyListed] = listed
      const [onlyReceived] = received
      if (
        listed.size !== 1 ||
        received.size !== 1 ||
        onlyListed === undefined ||
        onlyReceived === undefined
      )
        continue
      byKey.set(onlyReceived, onlyListed)
      missing.add(onlyListed)
    }
    return { byKey, missing }
  } finally {
    sort.dispose()
  }
}
