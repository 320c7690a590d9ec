import type { Store } from '../adapters/store.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import type { Attempt } from '../model/transfer.ts'
import type { CheckedFile, JobTallies } from '../pool/messages.ts'
import { readResult, readVersions } from './check.ts'
import { InventoryReader, type Plan } from './plan.ts'
import type { Intake } from './seal.ts'

/** Where the results of an attempt are, and which of them count. */
export type Results = {
  readonly state: Store
  /** The report version whose result counts for a chunk: the newest that read it. */
  readonly resultVersion: (chunk: number) => number
}

type CheckedEntry = {
  readonly entry: InventoryEntry
  readonly checked: CheckedFile
  /** S3 with versioning: the version that was read. */
  readonly versionId: string | undefined
}

/** Inventory and results side by side, a chunk at a time, in inventory order. */
export async function* checkedChunks(
  attempt: Attempt,
  intake: Intake,
  plan: Plan,
  results: Results,
): AsyncGenerator<{ readonly files: readonly CheckedEntry[]; readonly jobTallies: JobTallies }> {
  const inventory = new InventoryReader(results.state, attempt, intake)
  // Results are small and many: the next one is fetched while this one is used.
  const load = (index: number) => {
    const loaded = loadResult(attempt, index, results)
    loaded.catch(() => undefined) // reported when it is awaited, in its turn
    return loaded
  }
  let files = 0
  let next = plan.chunks[0] === undefined ? undefined : load(0)
  for (const { index, first, count } of plan.chunks) {
    const loaded = await next
    next = plan.chunks[index + 1] === undefined ? undefined : load(index + 1)
    if (loaded === undefined) continue
    const entries = await inventory.range(first, count)
    yield {
      jobTallies: loaded.tallies,
      files: entries.map((entry, i) => {
        const checked = loaded.files[i]
        if (checked === undefined || entry.key !== checked.key)
          throw new Error(
            `bug: result ${index} of ${attempt.reference} does not follow the inventory`,
          )
        return { entry, checked, versionId: loaded.versions[i] ?? undefined }
      }),
    }
    files += count
  }
  if (files !== intake.files)
    throw new Error(`bug: the results of ${attempt.reference} end before its inventory`)
}

/** The same, file by file. */
export async function* checkedFiles(
  ...of: Parameters<typeof checkedChunks>
): AsyncGenerator<CheckedEntry> {
  for await (const { files } of checkedChunks(...of)) yield* files
}

async function loadResult(attempt: Attempt, index: number, { state, resultVersion }: Results) {
  const version = resultVersion(index)
  const result = await readResult(state, attempt, version, index)
  const versions = result.hasVersions ? await readVersions(state, attempt, version, index) : []
  return { ...result, versions }
}
