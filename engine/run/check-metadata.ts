import type { Store } from '../adapters/store.ts'
import { compileProfile } from '../metadata/compile-profile.ts'
import { mergeMetadataProfiles } from '../metadata/profile-tally.ts'
import { tdrProfile } from '../metadata/profile.ts'
import type { Finding } from '../model/finding.ts'
import type { MetadataProfile } from '../model/outcome.ts'
import type { Attempt } from '../model/transfer.ts'
import { ExternalSort } from '../scratch/external-sort.ts'
import { checkMetadataDocument } from '../sources/check-metadata.ts'
import { sourceKinds } from '../sources/index.ts'
import { claim, readStateIfThere } from './create-once.ts'
import { openDocument } from './documents.ts'
import { PartWriter, type PartSummary } from './parts.ts'
import type { Intake } from './seal.ts'
import { metadataSummaryKey } from './state-layout.ts'

/** What the metadata documents of an attempt came to; their findings are a series of parts. */
export type MetadataResult = {
  readonly rows: number
  readonly passed: number
  readonly failed: number
  readonly profile: MetadataProfile
  readonly findings: readonly PartSummary[]
}

/**
 * Check every row of every metadata document against the profile, once. "Today" is the day of
 * sealing, so that checking again on another day finds the same.
 */
export async function checkMetadata(
  attempt: Attempt,
  intake: Intake,
  options: { readonly state: Store; readonly zoneStore: Store; readonly scratch: string },
): Promise<MetadataResult | undefined> {
  const { state } = options
  if (!intake.lists.metadata) return undefined
  const before = await readStateIfThere<MetadataResult>(state, metadataSummaryKey(attempt))
  if (before !== undefined) return before
  const settings = {
    profile: compileProfile(tdrProfile),
    today: intake.sealedAt.slice(0, 10),
    reportReading: false, // sealing has reported those
  }
  const writer = new PartWriter<Finding>(state, attempt, 'metadata')
  let sum: Omit<MetadataResult, 'findings'> | undefined
  for (const listed of intake.documents) {
    const kind = sourceKinds.find(({ id }) => id === listed.kind)
    if (kind === undefined || listed.rows !== true) continue
    const document = await openDocument(options.zoneStore, listed)
    // Findings come as they are made, without waiting; scratch holds them until they are written.
    const found = new ExternalSort(options.scratch)
    try {
      const { profile, rows, passed, failed } = await checkMetadataDocument(
        document,
        kind,
        settings,
        (finding) => found.add(String(found.count).padStart(12, '0'), JSON.stringify(finding)),
      )
      for (const { line } of found.sorted()) await writer.add(JSON.parse(line) as Finding)
      sum =
        sum === undefined
          ? { rows, passed, failed, profile }
          : {
              rows: sum.rows + rows,
              passed: sum.passed + passed,
              failed: sum.failed + failed,
              profile: mergeMetadataProfiles(sum.profile, profile),
            }
    } finally {
      found.dispose()
    }
  }
  if (sum === undefined) return undefined
  const { value } = await claim<MetadataResult>(state, metadataSummaryKey(attempt), {
    ...sum,
    findings: await writer.end(),
  })
  return value
}
