import { StoreError, type Store } from '../adapters/store.ts'
import type { AnyJob, CheckOutcome, FileCheck, FileFacts, JobSettings } from '../model/check.ts'
import type { Algorithm, Digests } from '../model/checksum.ts'
import type { Unchecked } from '../model/finding.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import { createDigestSet, digestsOf } from './digest-set.ts'
import { neededAlgorithms, type CheckedFile, type JobTallies, type ReadLimits } from './messages.ts'
import { ResumableDigests } from './resumable-digest.ts'

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

export type FileChecked = {
  readonly file: CheckedFile
  /** S3 with versioning: the version that was read. No part of the result: another read may see another. */
  readonly versionId?: string
  readonly tallies: JobTallies
}

/**
 * Check one small file without a promise: with 20,000 files a second, waiting costs more than
 * reading. undefined where that cannot be done; `checkFile` then does it, and words what went wrong.
 */
export function checkFileAtOnce(
  entry: InventoryEntry,
  context: CheckContext,
): FileChecked | undefined {
  const { store } = context
  const { sidecar, irregular, carried, sizeBytes, etag } = entry
  if (store.readAtOnce === undefined || sizeBytes > context.limits.resumableAboveBytes)
    return undefined
  if (sidecar !== undefined || irregular !== undefined || carried !== undefined) return undefined
  let bytes: Uint8Array | undefined
  try {
    const key = (entry.root ?? context.transferPrefix) + entry.key
    bytes = store.readAtOnce(key, { etag, sizeBytes })
  } catch (error) {
    if (error instanceof StoreError) return undefined
    throw error
  }
  if (bytes === undefined) return undefined
  const begun = beginJobs(entry, context)
  if (bytes.length > 0) for (const feed of begun.feeds) feed(bytes)
  const digests = digestsOf(bytes, neededAlgorithms(entry))
  return endJobs(entry, begun, { bytesRead: bytes.length, digests })
}

/** Check one file: its sidecar, its tags, its bytes once. Undefined when told to stop. */
export async function checkFile(
  listed: InventoryEntry,
  context: CheckContext,
): Promise<FileChecked | undefined> {
  const { entry, outcome: sidecar } = await withOwnSidecar(listed, context)
  const extra = sidecar === undefined ? {} : { sidecar }
  const unread = (outcomes: Record<string, CheckOutcome>): FileChecked => ({
    file: fileOf(entry, { bytesRead: 0, digests: {} }, { ...outcomes, ...extra }),
    tallies: {},
  })
  if (entry.irregular !== undefined) return unread(notOpened(context.jobs))
  try {
    const tags = await readTags(entry, context)
    const begun = beginJobs(entry, context)
    const read =
      entry.carried === undefined
        ? await readBytes(entry, context, begun.feeds)
        : { digests: entry.carried.digests, bytesRead: 0 }
    if (read === undefined) return undefined
    const facts: FileFacts = {
      bytesRead: read.bytesRead,
      digests: read.digests,
      ...(read.storedChecksum === undefined ? {} : { storedChecksum: read.storedChecksum }),
      ...(tags === undefined ? {} : { tags }),
    }
    return {
      ...endJobs(entry, begun, facts, extra),
      ...(read.versionId === undefined ? {} : { versionId: read.versionId }),
    }
  } catch (error) {
    return unread(outcomesForError(error, context.jobs))
  }
}

async function withOwnSidecar(
  entry: InventoryEntry,
  context: CheckContext,
): Promise<{ entry: InventoryEntry; outcome?: CheckOutcome }> {
  if (entry.sidecar === undefined) return { entry }
  // The rules for metadata are loaded by the threads that meet some.
  const { withSidecar } = await import('./sidecar.ts')
  return withSidecar(entry, entry.sidecar, context)
}

type BegunJobs = {
  readonly checks: readonly { readonly id: string; readonly check: FileCheck<unknown> }[]
  readonly feeds: readonly ((bytes: Uint8Array) => void)[]
}

function beginJobs(entry: InventoryEntry, { jobs, settings }: CheckContext): BegunJobs {
  const checks = jobs.map((job) => ({ id: job.id, check: job.begin(entry, settings) }))
  const feeds = []
  for (const { check } of checks) if (check.feed !== undefined) feeds.push(check.feed.bind(check))
  return { checks, feeds }
}

function endJobs(
  entry: InventoryEntry,
  { checks }: BegunJobs,
  facts: FileFacts,
  extra?: Readonly<Record<string, CheckOutcome>>,
): FileChecked {
  const outcomes: Record<string, CheckOutcome> = {}
  const tallies: Record<string, unknown> = {}
  for (const { id, check } of checks) {
    const { outcome, tally } = check.end(facts)
    outcomes[id] = outcome
    tallies[id] = tally
  }
  return { file: fileOf(entry, facts, Object.assign(outcomes, extra)), tallies }
}

function fileOf(
  { key, path, stated }: InventoryEntry,
  { bytesRead, digests }: Pick<FileFacts, 'bytesRead' | 'digests'>,
  outcomes: CheckedFile['outcomes'],
): CheckedFile {
  return { key, path, stated, bytesRead, digests, outcomes }
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
