import { openStore } from '../adapters/open-store.ts'
import { retrying } from '../adapters/retrying-store.ts'
import type { Store } from '../adapters/store.ts'
import { jobs } from '../../jobs/index.ts'
import { checkFile, checkFileAtOnce } from './check-file.ts'
import { TallySum } from './job-tallies.ts'
import type { UncheckedReason } from '../model/finding.ts'
import { loadDigests } from './digest-set.ts'
import type {
  CheckedFile,
  ChunkReply,
  ChunkTask,
  MetadataReply,
  MetadataTask,
  StoreAddress,
} from './messages.ts'

/** Stores stay open from chunk to chunk: a connection is dearer than a message. */
const stores = new Map<string, Store>()

function storeFor(address: StoreAddress): Store {
  const key = JSON.stringify(address)
  let store = stores.get(key)
  if (store === undefined) {
    store = retrying(openStore(address), { attempts: 14, baseDelayMs: 200, maxDelayMs: 20_000 })
    stores.set(key, store)
  }
  return store
}

/** Check one chunk. Never throws: what goes wrong crosses the thread as a value. */
export default async function checkChunk(task: ChunkTask): Promise<ChunkReply> {
  try {
    await loadDigests()
    return await checkEntries(task)
  } catch (error) {
    return {
      kind: 'bug',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }
  }
}

/** Check one metadata document. Never throws. */
export async function checkMetadata(task: MetadataTask): Promise<MetadataReply> {
  // Parsers and schemas are loaded by the threads that read metadata, once one does.
  const { checkDocument } = await import('./check-document.ts')
  return checkDocument(task, storeFor(task.store))
}

async function checkEntries(task: ChunkTask): Promise<ChunkReply> {
  const flag = new Int32Array(task.stopFlag)
  const shouldStop = () => Atomics.load(flag, 0) !== 0
  const chosen = task.jobIds.map((id) => {
    const job = jobs[id]
    if (job === undefined) throw new Error(`bug: there is no job ${id}`)
    return job
  })
  const context = {
    store: storeFor(task.store),
    checkpointStore: storeFor(task.checkpoints.store),
    checkpointPrefix: task.checkpoints.prefix,
    transferPrefix: task.transferPrefix,
    sealedOn: task.sealedOn,
    jobs: chosen,
    settings: task.settings,
    limits: task.limits,
    shouldStop,
  }
  const lines: string[] = Array.from({ length: task.entries.length })
  const versions: (string | null)[] = Array.from({ length: task.entries.length }, () => null)
  const retryable = new Set<UncheckedReason>()
  const tallies = new TallySum()
  let done = 0
  let next = 0
  const takeFiles = async () => {
    while (next < task.entries.length && !shouldStop()) {
      const position = next++
      const entry = task.entries[position]
      if (entry === undefined) continue
      const checked = checkFileAtOnce(entry, context) ?? (await checkFile(entry, context))
      if (checked === undefined) continue
      // What is stored follows from sealed bytes and frozen rules alone: no version ids, no times.
      lines[position] = JSON.stringify(checked.file)
      versions[position] = checked.versionId ?? null
      tallies.add(checked.tallies)
      addRetryable(retryable, checked.file)
      done++
    }
  }
  // Reads of a folder are synchronous: more than one at a time would only share the disk.
  const together = task.store.kind === 'folder' ? 1 : task.limits.concurrentReads
  await Promise.all(Array.from({ length: together }, takeFiles))
  if (done !== task.entries.length) return { kind: 'handed back' }
  return {
    kind: 'checked',
    lines,
    versions: versions.some((version) => version !== null) ? versions : [],
    tallies: tallies.sum,
    retryable: [...retryable].sort(),
  }
}

function addRetryable(reasons: Set<UncheckedReason>, { outcomes }: CheckedFile): void {
  for (const id in outcomes) {
    const outcome = outcomes[id]
    if (outcome?.kind === 'unchecked' && outcome.unchecked.retryable)
      reasons.add(outcome.unchecked.reason)
  }
}
