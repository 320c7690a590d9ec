import { createHash } from 'node:crypto'
import type { Store } from '../adapters/store.ts'
import type { Attempt } from '../model/transfer.ts'
import { readText, writeOnce } from './create-once.ts'
import { attemptPrefix, partKey, parts, type PartSeries } from './state-layout.ts'

const LINES_PER_PART = 10_000 // about 2 MB: one small object for ten pages of an S3 listing

/** What the intake says of one part of a series. */
export type PartSummary = {
  readonly lines: number
  /** Hex SHA-256 of the part's bytes. */
  readonly sha256: string
  /** Set for series in key order. */
  readonly firstKey?: string
  readonly lastKey?: string
}

/**
 * Writes a series of any length as numbered create-once objects of JSON lines.
 * Writing the same lines again changes nothing; writing others raises the integrity alarm.
 *
 * Lines are collected for one part while the part before it is written, one at a time and in
 * order: a part that is there follows all that come before it.
 */
export class PartWriter<T> {
  readonly #store: Store
  readonly #attempt: Attempt
  readonly #series: PartSeries
  readonly #keyOf: ((value: T) => string) | undefined
  #lines: string[] = []
  #values: T[] = []
  #firstKey: string | undefined
  #lastKey: string | undefined
  readonly summaries: PartSummary[]
  #writing: Promise<void> = Promise.resolve()

  constructor(
    store: Store,
    attempt: Attempt,
    series: PartSeries,
    options: { keyOf?: (value: T) => string; after?: readonly PartSummary[] } = {},
  ) {
    this.#store = store
    this.#attempt = attempt
    this.#series = series
    this.#keyOf = options.keyOf
    this.summaries = [...(options.after ?? [])]
  }

  async add(value: T): Promise<void> {
    if (this.#keyOf !== undefined) {
      this.#lastKey = this.#keyOf(value)
      this.#firstKey ??= this.#lastKey
    }
    this.#lines.push(JSON.stringify(value))
    this.#values.push(value)
    if (this.#lines.length >= LINES_PER_PART) await this.#flush()
  }

  /** Write what is left. A series may have no part at all. */
  async end(): Promise<readonly PartSummary[]> {
    if (this.#lines.length > 0) await this.#flush()
    await this.#writing
    return this.summaries
  }

  async #flush(): Promise<void> {
    const content = this.#lines.join('\n') + '\n'
    const key = partKey(this.#attempt, this.#series, this.summaries.length)
    await this.#writing
    this.#writing = writeOnce(this.#store, key, content)
    this.#writing.catch(() => undefined) // reported when it is awaited, by the next part or the end
    this.summaries.push({
      lines: this.#lines.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      ...(this.#firstKey === undefined ? {} : { firstKey: this.#firstKey }),
      ...(this.#lastKey === undefined ? {} : { lastKey: this.#lastKey }),
    })
    remember(this.#store, key, this.#values)
    this.#lines = []
    this.#values = []
    this.#firstKey = undefined
    this.#lastKey = undefined
  }
}

/**
 * The last few parts in memory, because each step reads what the step before it wrote. Parts
 * never change, so nothing here can be stale.
 */
const recent = new Map<string, readonly unknown[]>()
const RECENT_PARTS = 5 // up to about 25 MB

function remember(store: Store, key: string, values: readonly unknown[]): void {
  const oldest = recent.keys().next().value
  if (recent.size >= RECENT_PARTS && oldest !== undefined) recent.delete(oldest)
  recent.set(`${store.address}\n${key}`, values)
}

export async function readPart<T>(
  store: Store,
  attempt: Attempt,
  series: PartSeries,
  number: number,
): Promise<readonly T[]> {
  const key = partKey(attempt, series, number)
  const held = recent.get(`${store.address}
${key}`)
  if (held !== undefined) return held as readonly T[]
  const values = parseLines<T>(await readText(store, key))
  remember(store, key, values)
  return values
}

export async function* readParts<T>(
  store: Store,
  attempt: Attempt,
  series: PartSeries,
  count: number,
): AsyncGenerator<T> {
  for (let number = 0; number < count; number++)
    for (const value of await readPart<T>(store, attempt, series, number)) yield value
}

/** How many parts of a series an interrupted run left behind. */
export async function countParts(
  store: Store,
  attempt: Attempt,
  series: PartSeries,
): Promise<number> {
  let count = 0
  for await (const _part of store.list({ prefix: `${attemptPrefix(attempt)}${parts[series]}` }))
    count++
  return count
}

/** Summaries of parts that are already there, to go on after them. */
export async function summariseParts(
  store: Store,
  attempt: Attempt,
  series: PartSeries,
): Promise<PartSummary[]> {
  const count = await countParts(store, attempt, series)
  const summaries: PartSummary[] = []
  for (let number = 0; number < count; number++) {
    const text = await readText(store, partKey(attempt, series, number))
    const values = parseLines<{ readonly key: string }>(text)
    const first = values[0]
    const last = values.at(-1)
    summaries.push({
      lines: values.length,
      sha256: createHash('sha256').update(text).digest('hex'),
      ...(first === undefined ? {} : { firstKey: first.key }),
      ...(last === undefined ? {} : { lastKey: last.key }),
    })
  }
  return summaries
}

export function parseLines<T>(text: string): T[] {
  const values: T[] = []
  for (const line of text.split('\n')) if (line !== '') values.push(JSON.parse(line) as T)
  return values
}
