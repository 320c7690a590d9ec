import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { compareKeys } from '../model/key-order.ts'

/** A line to sort: by `sortKey` in UTF-8 byte order, then by `line`, so the order is total. */
type Line = { readonly sortKey: string; readonly line: string }

const IN_MEMORY_CHARACTERS = 6 * 1024 * 1024 // about 20 MB with overhead; half a dozen sorts live at once
const READ_BUFFER_BYTES = 256 * 1024

/**
 * Sort more lines than memory holds, on scratch disk.
 *
 * Add lines in any order, then iterate `sorted()` as often as needed. Equal lines are all kept.
 * Lines hold JSON and so no line break. Scratch is private to the process: what a kill leaves
 * behind is rubbish, never state.
 */
export class ExternalSort {
  readonly #folder: string
  #lines: Line[] = []
  #characters = 0
  #runs: string[] = []
  #ready = false
  count = 0

  constructor(scratchFolder: string) {
    this.#folder = mkdtempSync(join(scratchFolder, 'sort-'))
  }

  add(sortKey: string, line: string): void {
    if (this.#ready) throw new Error('bug: a line was added to a sort that is already being read')
    this.#lines.push({ sortKey, line })
    this.count++
    this.#characters += sortKey.length + line.length
    if (this.#characters > IN_MEMORY_CHARACTERS) this.#spill()
  }

  #spill(): void {
    this.#lines.sort(compareLines)
    const file = join(this.#folder, `run-${this.#runs.length}`)
    const descriptor = openSync(file, 'w')
    let pending = ''
    for (const { sortKey, line } of this.#lines) {
      pending += `${JSON.stringify(sortKey)}\t${line}\n`
      if (pending.length > READ_BUFFER_BYTES) {
        writeSync(descriptor, pending)
        pending = ''
      }
    }
    writeSync(descriptor, pending)
    closeSync(descriptor)
    this.#runs.push(file)
    this.#lines = []
    this.#characters = 0
  }

  *sorted(): Generator<Line> {
    if (!this.#ready) {
      this.#lines.sort(compareLines)
      this.#ready = true
    }
    const runs: Iterator<Line>[] = [
      this.#lines[Symbol.iterator](),
      ...this.#runs.map((file) => readRun(file)),
    ]
    yield* mergeRuns(runs)
  }

  /** What the lines hold, in order. */
  *parsed<T>(): Generator<T> {
    for (const { line } of this.sorted()) yield JSON.parse(line) as T
  }

  dispose(): void {
    this.#lines = []
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function compareLines(a: Line, b: Line): number {
  return compareKeys(a.sortKey, b.sortKey) || compareKeys(a.line, b.line)
}

/** There are few runs (one for each 6 million characters), so a linear scan for the least head is enough. */
function* mergeRuns(runs: Iterator<Line>[]): Generator<Line> {
  const heads: { line: Line; from: Iterator<Line> }[] = []
  for (const from of runs) {
    const first = from.next()
    if (first.done !== true) heads.push({ line: first.value, from })
  }
  while (heads.length > 0) {
    let least = 0
    for (let i = 1; i < heads.length; i++) {
      const candidate = heads[i]
      const best = heads[least]
      if (candidate && best && compareLines(candidate.line, best.line) < 0) least = i
    }
    const head = heads[least]
    if (head === undefined) return
    yield head.line
    const next = head.from.next()
    if (next.done === true) heads.splice(least, 1)
    else head.line = next.value
  }
}

function* readRun(file: string): Generator<Line> {
  for (const text of readLines(file)) {
    const tab = text.indexOf('\t', endOfJsonString(text))
    yield { sortKey: JSON.parse(text.slice(0, tab)) as string, line: text.slice(tab + 1) }
  }
}

/** JSON escapes tabs, so the first raw tab ends the key. */
function endOfJsonString(text: string): number {
  return text.indexOf('"') + 1
}

/** The lines of a UTF-8 scratch file, without their line breaks. */
export function* readLines(file: string): Generator<string> {
  const descriptor = openSync(file, 'r')
  try {
    const buffer = Buffer.allocUnsafe(READ_BUFFER_BYTES)
    let rest: Buffer = Buffer.alloc(0)
    for (;;) {
      const read = readSync(descriptor, buffer, 0, buffer.length, null)
      if (read === 0) break
      const block =
        rest.length === 0
          ? buffer.subarray(0, read)
          : Buffer.concat([rest, buffer.subarray(0, read)])
      let start = 0
      for (let end = block.indexOf(10, start); end >= 0; end = block.indexOf(10, start)) {
        yield block.toString('utf8', start, end)
        start = end + 1
      }
      rest = Buffer.from(block.subarray(start))
    }
    if (rest.length > 0) yield rest.toString('utf8')
  } finally {
    closeSync(descriptor)
  }
}
