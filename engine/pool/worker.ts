import { openStore } from '../adapters/open-store.ts'
import { retrying } from '../adapters/retrying-store.ts'
import type { Store } from '../adapters/store.ts'
import { jobs } from '../../jobs/index.ts'
import { checkFile, type FileChecked } from './check-file.ts'
import { mergeTallies } from './job-tallies.ts'
import { loadDigests } from './digest-set.ts'
import type { ChunkReply, ChunkTask, StoreAddress } from './messages.ts'

/** Stores stay open from chunk to chunk: a connection is dearer than a message. */
const stores = new Map<string, Store>()

function storeFor(address: StoreAddress): Store {
  const key = JSON.stringify(address)
  let store = stores.get(key)
  if (store === undefined) {
    store = retrying(openStore(address), { attempts: 8, baseDelayMs: 200, maxDelayMs: 20_000 })
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
    jobs: chosen,
    settings: task.settings,
    limits: task.limits,
    shouldStop,
  }
  const files: (FileChecked | undefined)[] = Array.from({ length: task.entries.length })
  let next = 0
  const takeFiles = async () => {
    while (next < task.entries.length && !shouldStop()) {
      const position = next++
      const entry = task.entries[position]
      if (entry !== undefined) files[position] = await checkFile(entry, context)
    }
  }
  // Reads of a folder are synchronous: more than one at a time would only share the disk.
  const together = task.store.kind === 'folder' ? 1 : task.limits.concurrentReads
  await Promise.all(Array.from({ length: together }, takeFiles))
  const checked = files.filter((file) => file !== undefined)
  if (checked.length !== task.entries.length) return { kind: 'handed back' }
  return {
    kind: 'checked',
    files: checked.map(({ file }) => file),
    tallies: checked.reduce((sum, { tallies }) => mergeTallies(sum, tallies), {}),
  }
}
