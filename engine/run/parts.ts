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
 */
export class PartWriter<T> {
  readonly #store: Store
  readonly #attempt: Attempt
  readonly #series: PartSeries
  readonly #keyOf: ((value: T) => string) | undefined
  #lines: string[] = []
  #firstKey: string | undefined
  #lastKey: string | undefined
  readonly summaries: PartSummary[]

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
    if (this.#lines.length >= LINES_PER_PART) await this.#flush()
  }

  /** Write what is left. A series may have no part at all. */
  async end(): Promise<readonly PartSummary[]> {
    if (this.#lines.length > 0) await this.#flush()
    return this.summaries
  }

  async #flush(): Promise<void> {
    const content = this.#lines.join('\n') + '\n'
    await writeOnce(
      this.#store,
      partKey(this.#attempt, this.#series, this.summaries.length),
      content,
    )
    this.summaries.push({
      lines: this.#lines.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      ...(this.#firstKey === undefined ? {} : { firstKey: this.#firstKey }),
      ...(this.#lastKey === undefined ? {} : { lastKey: this.#lastKey }),
    })
    this.#lines = []
    this.#firstKey = undefined
    this.#lastKey = undefined
  }
}

export async function readPart<T>(
  store: Store,
  attempt: Attempt,
  series: PartSeries,
  number: number,
): Promise<T[]> {
  return parseLines<T>(await readText(store, partKey(attempt, series, number)))
}

export async function* readParts<T>(
  store: Store,
  attempt: Attempt,
  series: PartSeries,
  count: number,
): AsyncGenerator<T> {
  for (let number = 0; number < count; number++)
    yield* await readPart<T>(store, attempt, series, number)
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
export async function summariseParts<T>(
  store: Store,
  attempt: Attempt,
  series: PartSeries,
  keyOf: (value: T) => string,
): Promise<PartSummary[]> {
  const count = await countParts(store, attempt, series)
  const summaries: PartSummary[] = []
  for (let number = 0; number < count; number++) {
    const text = await readText(store, partKey(attempt, series, number))
    const values = parseLines<T>(text)
    const first = values[0]
    const last = values.at(-1)
    summaries.push({
      lines: values.length,
      sha256: createHash('sha256').update(text).digest('hex'),
      ...(first === undefined ? {} : { firstKey: keyOf(first) }),
      ...(last === undefined ? {} : { lastKey: keyOf(last) }),
    })
  }
  return summaries
}

export function parseLines<T>(text: string): T[] {
  const values: T[] = []
  for (const line of text.split('\n')) if (line !== '') values.push(JSON.parse(line) as T)
  return values
}
