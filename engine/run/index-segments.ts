import { createHash } from 'node:crypto'
import type { Store } from '../adapters/store.ts'
import { readState, readText } from './create-once.ts'
import type { Delivered } from './deliver.ts'
import { parseLines } from './parts.ts'

const SUMMARIES = 'index/summaries/'
const SEGMENTS = 'index/segments/'
const SUMMARIES_PER_SEGMENT = 5000

type IndexLine = { readonly key: string; readonly summary: Delivered }

/**
 * Every delivered report's summary, by its key. Segments hold what was compacted; summaries
 * written since are read one by one. The index is disposable: reports are the truth.
 */
export async function readSummaries(state: Store): Promise<Map<string, Delivered>> {
  const summaries = new Map<string, Delivered>()
  await readNewSummaries(state, new Set(), summaries)
  return summaries
}

const READS_AT_ONCE = 16

/**
 * Add to `summaries` what it does not hold yet, and to `segments` the keys of those that were
 * read: two listings, and a request for each thing that is new. Returns what was added.
 */
export async function readNewSummaries(
  state: Store,
  segments: Set<string>,
  summaries: Map<string, Delivered>,
): Promise<Delivered[]> {
  const added: Delivered[] = []
  const add = (key: string, summary: Delivered) => {
    if (summaries.has(key)) return
    summaries.set(key, summary)
    added.push(summary)
  }
  for await (const { key } of state.list({ prefix: SEGMENTS })) {
    if (segments.has(key)) continue
    for (const line of parseLines<IndexLine>(await readText(state, key)))
      add(line.key, line.summary)
    segments.add(key)
  }
  let reads: Promise<void>[] = []
  for await (const { key } of state.list({ prefix: SUMMARIES })) {
    if (summaries.has(key)) continue
    reads.push(readState<Delivered>(state, key).then((summary) => add(key, summary)))
    if (reads.length < READS_AT_ONCE) continue
    await Promise.all(reads)
    reads = []
  }
  await Promise.all(reads)
  return added
}

/**
 * Rebuild what is missing of the index from the reports themselves, and compact it into segments
 * named by their content, so that doing it twice, or at once, writes the same. Returns how many
 * reports are in it.
 */
export async function reindex(state: Store, reports: Store): Promise<number> {
  const summaries = await readSummaries(state)
  for await (const { key } of reports.list({ prefix: '' })) {
    const match = /^[^/]+\/([^/]+)\/attempt-(\d+)\/version-(\d+)\/delivered\.json$/.exec(key)
    if (match === null) continue
    const [, reference = '', attempt = '', version = ''] = match
    const of = `${SUMMARIES}${reference}/${attempt.padStart(5, '0')}-${version.padStart(5, '0')}.json`
    if (!summaries.has(of)) summaries.set(of, await readState<Delivered>(reports, key))
  }
  const lines = [...summaries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, summary]) => JSON.stringify({ key, summary }))
  for (let first = 0; first < lines.length; first += SUMMARIES_PER_SEGMENT) {
    const content = lines.slice(first, first + SUMMARIES_PER_SEGMENT).join('\n') + '\n'
    await state.createIfAbsent(
      `${SEGMENTS}${createHash('sha256').update(content).digest('hex')}.jsonl`,
      content,
    )
  }
  return summaries.size
}
