import { StoreError, type Store } from '../adapters/store.ts'
import type { AnyJob, CheckOutcome, FileFacts, JobSettings } from '../model/check.ts'
import type { Algorithm, Digests } from '../model/checksum.ts'
import type { Unchecked } from '../model/finding.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import { createDigestSet } from './digest-set.ts'
import { neededAlgorithms, type CheckedFile, type JobTallies, type ReadLimits } from './messages.ts'
import { ResumableDigests } from './resumable-digest.ts'
import { withSidecar } from './sidecar.ts'

export type CheckContext = {
  readonly store: Store
  readonly checkpointStore: Store
  readonly checkpointPrefix: string
  readonly transferPrefix: string
  /** YYYY-MM-DD: what rules about dates call today. */
  readonly sealedOn: string
  readonly jobs: readonly AnyJob[]
  readonly settings: JobSettings
  readonly limits: ReadLimits
  readonly shouldStop: () => boolean
}

export type FileChecked = { readonly file: CheckedFile; readonly tallies: JobTallies }

/** Check one file: its sidecar, its tags, its bytes once. Undefined when told to stop. */
export async function checkFile(
  listed: InventoryEntry,
  context: CheckContext,
): Promise<FileChecked | undefined> {
  const { entry, outcome: sidecar } = await withSidecar(listed, context)
  const base = { key: entry.key, path: entry.path, stated: entry.stated }
  const extra = sidecar === undefined ? {} : { sidecar }
  if (entry.irregular !== undefined) {
    return {
      file: {
        ...base,
        bytesRead: 0,
        digests: {},
        outcomes: { ...notOpened(context.jobs), ...extra },
      },
      tallies: {},
    }
  }
  const checks = context.jobs.map((job) => ({ job, check: job.begin(entry, context.settings) }))
  const feeds = checks.flatMap(({ check }) =>
    check.feed === undefined ? [] : [check.feed.bind(check)],
  )
  try {
    const tags = await readTags(entry, context)
    const read =
      entry.carried === undefined
        ? await readBytes(entry, context, feeds)
        : { digests: entry.carried.digests, bytesRead: 0 }
    if (read === undefined) return undefined
    const facts: FileFacts = {
      bytesRead: read.bytesRead,
      digests: read.digests,
      ...(read.storedChecksum === undefined ? {} : { storedChecksum: read.storedChecksum }),
      ...(tags === undefined ? {} : { tags }),
    }
    const ends = checks.map(({ job, check }) => ({ id: job.id, ...check.end(facts) }))
    return {
      file: {
        ...base,
        bytesRead: read.bytesRead,
        digests: read.digests,
        ...(read.versionId === undefined ? {} : { versionId: read.versionId }),
        outcomes: { ...Object.fromEntries(ends.map(({ id, outcome }) => [id, outcome])), ...extra },
      },
      tallies: Object.fromEntries(ends.map(({ id, tally }) => [id, tally])),
    }
  } catch (error) {
    return {
      file: {
        ...base,
        bytesRead: 0,
        digests: {},
        outcomes: { ...outcomesForError(error, context.jobs), ...extra },
      },
      tallies: {},
    }
  }
}

type Read = {
  readonly bytesRead: number
  readonly digests: Digests
  readonly versionId?: string
  readonly storedChecksum?: { readonly algorithm: Algorithm; readonly value: string }
}

async function readBytes(
  entry: InventoryEntry,
  context: CheckContext,
  feeds: readonly ((bytes: Uint8Array) => void)[],
): Promise<Read | undefined> {
  const key = (entry.root ?? context.transferPrefix) + entry.key
  const wanted = neededAlgorithms(entry)
  const options = { etag: entry.etag, sizeBytes: entry.sizeBytes, shouldStop: context.shouldStop }
  if (entry.sizeBytes > context.limits.resumableAboveBytes) {
    const digests = await ResumableDigests.begin(wanted, {
      store: context.checkpointStore,
      prefix: context.checkpointPrefix,
      key,
      etag: entry.etag,
      everyBytes: context.limits.checkpointEveryBytes,
    })
    const result = await context.store.feed(
      key,
      { ...options, startByte: digests.offset },
      (bytes) => {
        digests.update(bytes)
        for (const feed of feeds) feed(bytes)
      },
    )
    if (result.stopped) return undefined
    return { ...pick(result), bytesRead: digests.offset, digests: await digests.digests() }
  }
  let digests = createDigestSet(wanted)
  const onStoredChecksum = (algorithm: Algorithm) => {
    if (!wanted.includes(algorithm)) digests = createDigestSet([...wanted, algorithm])
  }
  const result = await context.store.feed(key, { ...options, onStoredChecksum }, (bytes) => {
    digests.update(bytes)
    for (const feed of feeds) feed(bytes)
  })
  if (result.stopped) return undefined
  return { ...pick(result), bytesRead: result.bytesFed, digests: digests.digests() }
}

function pick({
  versionId,
  storedChecksum,
}: {
  versionId?: string
  storedChecksum?: { algorithm: Algorithm; value: string }
}) {
  return {
    ...(versionId === undefined ? {} : { versionId }),
    ...(storedChecksum === undefined ? {} : { storedChecksum }),
  }
}

async function readTags(entry: InventoryEntry, context: CheckContext): Promise<FileFacts['tags']> {
  const wanted =
    context.settings.malwareTags === 'configured' &&
    context.jobs.some(({ needsTags }) => needsTags === true)
  return wanted ? context.store.tags((entry.root ?? context.transferPrefix) + entry.key) : undefined
}

function notOpened(jobs: readonly AnyJob[]): Record<string, CheckOutcome> {
  return Object.fromEntries(jobs.map(({ id }) => [id, { kind: 'no basis' }]))
}

/** The one place where a store's error becomes a result. Anything else is a bug and is thrown on. */
function outcomesForError(error: unknown, jobs: readonly AnyJob[]): Record<string, CheckOutcome> {
  if (!(error instanceof StoreError)) throw error
  switch (error.reason) {
    case 'missing':
      return {
        ...notOpened(jobs),
        sealed: { kind: 'failed', findings: [{ code: 'FILE.REMOVED' }] },
      }
    case 'changed':
      return {
        ...notOpened(jobs),
        sealed: { kind: 'failed', findings: [{ code: 'FILE.CHANGED' }] },
      }
    case 'denied':
      return unchecked(jobs, {
        reason: 'denied',
        message: 'We are not allowed to read this file.',
        retryable: false,
      })
    case 'tooLarge':
      return unchecked(jobs, {
        reason: 'limit',
        message: 'The file is larger than we can read.',
        retryable: false,
      })
    case 'aborted':
      return unchecked(jobs, {
        reason: 'cancelled',
        message: 'We were told to stop while reading this file.',
        retryable: true,
      })
    case 'unavailable':
    case 'alreadyExists':
    case 'unrepresentable':
      return unchecked(jobs, {
        reason: 'unavailable',
        message: 'The drop zone did not answer.',
        retryable: true,
      })
  }
}

function unchecked(jobs: readonly AnyJob[], one: Unchecked): Record<string, CheckOutcome> {
  return Object.fromEntries(jobs.map(({ id }) => [id, { kind: 'unchecked', unchecked: one }]))
}
