import { createReadStream, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { StoreError, type Store } from '../adapters/store.ts'
import { mergeMetadataProfiles } from '../metadata/profile-tally.ts'
import { tdrProfile } from '../metadata/profile.ts'
import type { Finding } from '../model/finding.ts'
import type { MetadataProfile } from '../model/outcome.ts'
import type { Attempt } from '../model/transfer.ts'
import type { StoreAddress } from '../pool/messages.ts'
import type { CheckPool } from '../pool/pool.ts'
import { claim, readStateIfThere } from './create-once.ts'
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
 * Check every row of every metadata document against the profile, once, on the worker threads.
 * "Today" is the day of sealing, so that checking again on another day finds the same. Throws
 * StoreError as a worker met it; 'aborted' where it was told to stop.
 */
export async function checkMetadata(
  attempt: Attempt,
  intake: Intake,
  options: {
    readonly state: Store
    readonly zoneAddress: StoreAddress
    readonly pool: CheckPool
    readonly scratch: string
  },
): Promise<MetadataResult | undefined> {
  const { state, pool, scratch } = options
  if (!intake.lists.metadata) return undefined
  const before = await readStateIfThere<MetadataResult>(state, metadataSummaryKey(attempt))
  if (before !== undefined) return before
  const { profile = tdrProfile, xmlSchema } = intake.rules
  const documents = intake.documents.filter(({ kind, rows }) => kind !== undefined && rows === true)
  // All at once: the pool has each wait its turn.
  const checks = documents.map(async (document, index) => {
    const findingsFile = join(scratch, `metadata-${index}.jsonl`)
    const reply = await pool.checkMetadata({
      store: options.zoneAddress,
      document,
      kind: document.kind ?? '',
      profile,
      today: intake.sealedAt.slice(0, 10),
      ...(xmlSchema === undefined ? {} : { xmlSchema }),
      findingsFile,
    })
    return { reply, findingsFile }
  })
  const writer = new PartWriter<Finding>(state, attempt, 'metadata')
  let sum: Omit<MetadataResult, 'findings'> | undefined
  for (const { reply, findingsFile } of await Promise.all(checks)) {
    if (reply.kind === 'bug') throw new Error(reply.message)
    if (reply.kind === 'store') throw new StoreError(reply.reason, '', reply.message)
    if (reply.kind === 'handed back') throw new StoreError('aborted', '', 'stopped by the caller')
    if (reply.kind === 'crashed')
      throw new Error(`a worker ended while it checked a metadata document: ${reply.message}`)
    const { rows, passed, failed } = reply
    for await (const line of createInterface({ input: createReadStream(findingsFile) }))
      await writer.add(JSON.parse(line) as Finding)
    rmSync(findingsFile)
    sum =
      sum === undefined
        ? { rows, passed, failed, profile: reply.profile }
        : {
            rows: sum.rows + rows,
            passed: sum.passed + passed,
            failed: sum.failed + failed,
            profile: mergeMetadataProfiles(sum.profile, reply.profile),
          }
  }
  if (sum === undefined) return undefined
  const { value } = await claim<MetadataResult>(state, metadataSummaryKey(attempt), {
    ...sum,
    findings: await writer.end(),
  })
  return value
}
