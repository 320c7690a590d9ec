import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Store } from '../adapters/store.ts'
import { dispatchOrder, type Chunk } from '../flow/chunk.ts'
import { awakeHours, isolate, type Try } from '../flow/isolate.ts'
import { transferPrefix, type Attempt } from '../model/transfer.ts'
import type { CheckPool } from '../pool/pool.ts'
import {
  parseHeader,
  parseResult,
  renderResult,
  type ChunkResult,
  type ResultHeader,
} from './chunk-result.ts'
import { TallySum } from '../pool/job-tallies.ts'
import type { CheckedFile, ReadLimits, StoreAddress } from '../pool/messages.ts'
import type { UncheckedReason } from '../model/finding.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import { jobs } from '../../jobs/index.ts'
import { IntegrityAlarm, mark, readState, readText, writeOnce } from './create-once.ts'
import { InventoryReader } from './plan.ts'
import type { Intake } from './seal.ts'
import {
  checkpointsPrefix,
  eventKey,
  resultKey,
  resultsPrefix,
  triesPrefix,
  tryKey,
  versionsKey,
} from './state-layout.ts'

/** What checking one chunk needs, whoever asks for it. */
export type ChunkOptions = {
  readonly state: Store
  readonly stateAddress: StoreAddress
  readonly zoneAddress: StoreAddress
  readonly pool: CheckPool
  readonly limits: ReadLimits
  /** Which report version the results are for. */
  readonly version: number
  /** Somebody may have died over it before, so every start is recorded first. */
  readonly resumed: boolean
  /** Hours awake after which an unchecked file is reported as such; 0 for at once. */
  readonly retryUncheckedHours: number
  /** The same for files that only wait for an outside scanner. */
  readonly retryPendingHours: number
  readonly now: () => Date
  readonly signal: AbortSignal
}

type CheckOptions = ChunkOptions & {
  readonly threads: number
  readonly chunks: readonly Chunk[]
  readonly onProgress?: (done: { readonly files: number; readonly bytes: number }) => void
}

const POISONED = 'Reading this file ended the checking program three times.'

export type CheckEnd = 'all results written' | 'some to be tried again' | 'stopped'

/**
 * Check every chunk that has no result yet. Chunks are independent: any number of processes may
 * do this at once, each result is written by whoever is first, and all of them are the same.
 */
export async function checkAttempt(
  attempt: Attempt,
  intake: Intake,
  options: CheckOptions,
): Promise<CheckEnd> {
  const { state, version } = options
  const startedAt = options.now().toISOString()
  const done = await chunksWithResult(state, attempt, version)
  const tries = await readTries(state, attempt, version)
  const reader = new InventoryReader(state, attempt, intake)
  for (const chunk of options.chunks) {
    if (done.has(chunk.index)) options.onProgress?.({ files: chunk.count, bytes: chunk.bytes })
  }
  const waiting = dispatchOrder(options.chunks.filter((chunk) => !done.has(chunk.index)))
  let postponed = 0
  const takeChunks = async () => {
    for (let chunk = waiting.shift(); chunk !== undefined; chunk = waiting.shift()) {
      if (options.signal.aborted) return
      const written = await checkChunk(
        chunk,
        attempt,
        intake,
        reader,
        tries.get(chunk.index) ?? [],
        options,
      )
      if (written) options.onProgress?.({ files: chunk.count, bytes: chunk.bytes })
      else postponed++
    }
  }
  // One more than there are threads, so that a thread never waits while a result is written.
  await Promise.all(Array.from({ length: options.threads + 1 }, takeChunks))
  await mark(state, eventKey(attempt, `run-${version}-${randomUUID()}`), {
    host: hostname(),
    node: process.version,
    startedAt,
    endedAt: options.now().toISOString(),
    chunks: options.chunks.length - done.size,
  })
  if (options.signal.aborted) return 'stopped'
  return postponed === 0 ? 'all results written' : 'some to be tried again'
}

/** Returns false when the chunk has to be tried again later, or was handed back. */
export async function checkChunk(
  chunk: Chunk,
  attempt: Attempt,
  intake: Intake,
  reader: InventoryReader,
  earlier: readonly Try[],
  options: ChunkOptions,
): Promise<boolean> {
  const { state, version } = options
  const entries = await reader.range(chunk.first, chunk.count)
  const tries: Try[] = [...earlier]
  const record = async (entry: Omit<Try, 'at'>) => {
    const one: Try = { ...entry, at: options.now().toISOString() }
    // Two processes may number alike; the loser's record is the same kind of evidence.
    await mark(state, tryKey(attempt, version, chunk.index, tries.length), one)
    tries.push(one)
  }
  const lines: (string | undefined)[] = Array.from({ length: chunk.count })
  const versions: (string | null)[] = []
  const reasons = new Set<UncheckedReason>()
  const tallies = new TallySum()
  for (;;) {
    const { ranges, poisoned } = isolate(chunk.count, tries)
    for (const position of poisoned) {
      const entry = entries[position]
      if (entry !== undefined) lines[position] = JSON.stringify(unreadFile(entry, POISONED))
    }
    const next = ranges.find(({ from, to }) => lines.slice(from, to).includes(undefined))
    if (next === undefined) break
    if (options.signal.aborted) return false
    const recorded = options.resumed || tries.length > 0
    if (recorded) await record({ kind: 'started', ...next })
    const reply = await options.pool.check({
      store: options.zoneAddress,
      transferPrefix: transferPrefix(attempt.transfer),
      entries: entries.slice(next.from, next.to),
      sealedOn: intake.sealedAt.slice(0, 10),
      jobIds: Object.keys(jobs),
      settings: intake.rules.settings,
      checkpoints: { store: options.stateAddress, prefix: checkpointsPrefix(attempt) },
      limits: options.limits,
    })
    if (reply.kind === 'handed back') {
      // Told to stop is not dying of it: a chunk is not cut for having been in the way of weekends.
      if (recorded) await record({ kind: 'handed back', ...next })
      return false
    }
    if (reply.kind === 'bug') throw new Error(reply.message)
    if (reply.kind === 'crashed') await record({ kind: 'crashed', ...next })
    else {
      for (const [i, line] of reply.lines.entries()) lines[next.from + i] = line
      for (const [i, version] of reply.versions.entries()) versions[next.from + i] = version
      for (const reason of reply.retryable) reasons.add(reason)
      tallies.add(reply.tallies)
    }
  }
  if (reasons.size > 0 && awakeHours(tries) < deadlineHours(reasons, options)) {
    await record({ kind: 'unchecked', from: 0, to: chunk.count, reasons: [...reasons].sort() })
    return false
  }
  const hasVersions = versions.length > 0
  if (hasVersions) {
    const read = Array.from({ length: chunk.count }, (_, i) => versions[i] ?? null)
    await mark(state, versionsKey(attempt, version, chunk.index), { versions: read })
  }
  const unchecked = reasons.size > 0 || isolate(chunk.count, tries).poisoned.length > 0
  await writeResult(state, resultKey(attempt, version, chunk.index), lines, {
    tallies: tallies.sum,
    hasVersions,
    ...(unchecked ? { unchecked: true } : {}),
  })
  return true
}

/**
 * Write a result where the queue has given a chunk up: no task that took it came back. Every file
 * is unchecked, with how often it was tried; a recheck reads them again.
 */
export async function giveUpChunk(
  chunk: Chunk,
  attempt: Attempt,
  reader: InventoryReader,
  tries: readonly Try[],
  options: Pick<ChunkOptions, 'state' | 'version' | 'now'> & { readonly receives: number },
): Promise<void> {
  const { state, version, receives } = options
  const key = resultKey(attempt, version, chunk.index)
  if ((await state.head(key)) !== undefined) return
  const given: Try = { kind: 'given up', from: 0, to: chunk.count, at: options.now().toISOString() }
  await mark(state, tryKey(attempt, version, chunk.index, tries.length), given)
  const times = Math.max(receives, tries.filter(({ kind }) => kind === 'started').length)
  const entries = await reader.range(chunk.first, chunk.count)
  const lines = entries.map((entry) =>
    JSON.stringify(
      unreadFile(
        entry,
        `The file was given to a checking task ${times} times with others, and none came back with a result.`,
      ),
    ),
  )
  await writeResult(state, key, lines, { tallies: {}, hasVersions: false, unchecked: true })
}

/** Of two results one of which could not check everything, the first counts and neither is an alarm. */
async function writeResult(
  state: Store,
  key: string,
  lines: readonly (string | undefined)[],
  header: ResultHeader,
): Promise<void> {
  const text = renderResult(header, lines)
  try {
    await writeOnce(state, key, text)
  } catch (error) {
    if (!(error instanceof IntegrityAlarm)) throw error
    const stored = parseHeader(await readText(state, key))
    if (header.unchecked !== true && stored.unchecked !== true) throw error
  }
}

export async function readResult(
  state: Store,
  attempt: Attempt,
  version: number,
  chunk: number,
): Promise<ChunkResult> {
  return parseResult(await readText(state, resultKey(attempt, version, chunk)))
}

/** S3 versions that were read for a chunk, by position. */
export async function readVersions(
  state: Store,
  attempt: Attempt,
  version: number,
  chunk: number,
): Promise<readonly (string | null)[]> {
  const key = versionsKey(attempt, version, chunk)
  return (await readState<{ versions: readonly (string | null)[] }>(state, key)).versions
}

export async function chunksWithResult(
  state: Store,
  attempt: Attempt,
  version: number,
): Promise<Set<number>> {
  const indexes = new Set<number>()
  for await (const { key } of state.list({ prefix: resultsPrefix(attempt, version) })) {
    const name = /(\d+)\.jsonl$/.exec(key)?.[1]
    if (name !== undefined) indexes.add(Number(name))
  }
  return indexes
}

/** Every recorded try, by chunk; of one chunk alone where `chunk` is given. */
export async function readTries(
  state: Store,
  attempt: Attempt,
  version: number,
  only?: number,
): Promise<Map<number, Try[]>> {
  const tries = new Map<number, Try[]>()
  const prefix =
    only === undefined
      ? triesPrefix(attempt, version)
      : tryKey(attempt, version, only, 0).replace(/[^/]+$/, '')
  for await (const { key } of state.list({ prefix })) {
    const chunk = /(\d+)\/\d+\.json$/.exec(key)?.[1]
    if (chunk === undefined) continue
    const ofChunk = tries.get(Number(chunk)) ?? []
    ofChunk.push(await readState<Try>(state, key))
    tries.set(Number(chunk), ofChunk)
  }
  return tries
}

function deadlineHours(reasons: ReadonlySet<UncheckedReason>, options: ChunkOptions): number {
  return [...reasons].every((reason) => reason === 'pending')
    ? options.retryPendingHours
    : options.retryUncheckedHours
}

/** A file that no worker survives is ours to explain, not the sender's to fix. */
function unreadFile(entry: InventoryEntry, message: string): CheckedFile {
  const unchecked = {
    kind: 'unchecked',
    unchecked: { reason: 'crashed', path: entry.path, message, retryable: false },
  } as const
  return {
    key: entry.key,
    path: entry.path,
    stated: entry.stated,
    bytesRead: 0,
    digests: {},
    outcomes: Object.fromEntries(Object.keys(jobs).map((id) => [id, unchecked])),
  }
}
