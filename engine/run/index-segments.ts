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
  for await (const { key } of state.list({ prefix: SEGMENTS })) {
    for (const line of parseLines<IndexLine>(await readText(state, key)))
      summaries.set(line.key, line.summary)
  }
  for await (const { key } of state.list({ prefix: SUMMARIES })) {
    if (!summaries.has(key)) summaries.set(key, await readState<Delivered>(state, key))
  }
  return summaries
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
