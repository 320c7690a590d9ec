import { isUtf8 } from 'node:buffer'
import { parse } from 'csv-parse/sync'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument } from '../model/source.ts'
import { readCsvFront, type CsvFront } from './csv-front.ts'
import { decodeToUtf8, sniffEncoding } from './decode.ts'
import { RecordCutter, type Piece } from './record-cutter.ts'

/** One row of a table. `row` is the number a spreadsheet shows: a cell with line breaks is one row. */
export type TableRow = {
  readonly row: number
  readonly cells: readonly string[]
  /** Its quoting is broken: already reported, and only cells before the broken one can be trusted. */
  readonly broken?: true
}

export type TableHeader = {
  readonly row: number
  readonly names: readonly string[]
  readonly delimiter: string
}

export type TableOptions = {
  /** The row that is the header, among the first ten; default: the first that is not empty. */
  readonly isHeader?: (cells: readonly string[]) => boolean
  /** Report rows that have more or fewer cells than the header. Default true. */
  readonly even?: boolean
  /** Called once, before any row. */
  readonly onHeader: (header: TableHeader) => void
}

/** A cell longer than this is reported instead of read: no field of any profile comes near. */
const MAX_CELL_CHARACTERS = 1_000_000
const MAX_COLUMNS = 1_000
const BLOCK_BYTES = 256 * 1024
const HEADER_SEARCH_ROWS = 10
/** A list schema of a SharePoint library with hundreds of columns. */
const MAX_FRONT_BYTES = 4 * 1024 * 1024

/** Column letter as a spreadsheet shows it: 0 is A, 26 is AA. */
export function columnLetter(index: number): string {
  let letters = ''
  for (let rest = index; rest >= 0; rest = Math.floor(rest / 26) - 1) {
    letters = String.fromCharCode(65 + (rest % 26)) + letters
  }
  return letters
}

/**
 * Read a CSV document as senders really write them, in blocks of rows, in order and in flat memory.
 *
 * csv-parse tokenises; everything around it is here: encodings, what stands before the header,
 * delimiter, mixed line ends, broken quoting, uneven rows, empty rows. All problems are reported in
 * one pass with row, column and value; nothing is thrown for what a sender wrote. Empty rows are
 * left out. Yields nothing where the document holds no table.
 */
export async function* readTable(
  document: SourceDocument,
  options: TableOptions,
  report: (finding: Finding) => void,
): AsyncGenerator<readonly TableRow[]> {
  const foreign = foreignFormat(document.head)
  if (foreign !== undefined) {
    report({ code: 'METADATA.NOT_CSV', place: { document: document.key }, value: foreign })
    return
  }
  const reader = new TableReader(document.key, options, report)
  let front: CsvFront | undefined
  let cutter: RecordCutter | undefined
  for await (let { bytes, last } of blocks(decodeToUtf8(document, report))) {
    if (cutter === undefined) {
      const text = bytes.toString('utf8')
      front = readCsvFront(text, last || bytes.length >= MAX_FRONT_BYTES)
      if (front === undefined) {
        front = { delimiter: ',', skip: 0, firstRow: 1 }
      }
      bytes = bytes.subarray(Buffer.byteLength(text.slice(0, front.skip)))
      cutter = new RecordCutter(front.delimiter)
      reader.begin(front)
    }
    for (const piece of cutter.push(bytes, last)) {
      const rows = reader.read(piece)
      if (rows.length > 0) yield rows
      if (reader.stopped) return
    }
  }
  const rows = reader.end()
  if (rows.length > 0) yield rows
}

/** Gathers small chunks, so that the tokeniser is called seldom; marks the last block. */
async function* blocks(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<{ bytes: Buffer; last: boolean }> {
  let gathered: Buffer[] = []
  let length = 0
  let first = true
  for await (const chunk of chunks) {
    gathered.push(chunk)
    length += chunk.length
    if (length < BLOCK_BYTES) continue
    const bytes = Buffer.concat(gathered)
    if (
      first &&
      length < MAX_FRONT_BYTES &&
      readCsvFront(bytes.toString('utf8'), false) === undefined
    ) {
      gathered = [bytes]
      continue
    }
    yield { bytes, last: false }
    first = false
    gathered = []
    length = 0
  }
  yield { bytes: Buffer.concat(gathered), last: true }
}

/** Documents that people take for CSV because of their name. */
export function foreignFormat(head: Uint8Array): string | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  if (bytes.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1'))) {
    return 'a zip archive, probably an Excel workbook (.xlsx)'
  }
  if (bytes.subarray(0, 8).toString('hex') === 'd0cf11e0a1b11ae1')
    return 'an old Excel workbook (.xls)'
  if (bytes.subarray(0, 5).toString('latin1') === '%PDF-') return 'a PDF'
  return isBinary(bytes.subarray(0, BINARY_SNIFF_BYTES)) ? 'data that is no text' : undefined
}

const BINARY_SNIFF_BYTES = 4096

/**
 * Pictures, archives and noise are full of control characters of many sorts; a damaged text has a
 * few of one sort, which are named where they stand.
 */
function isBinary(head: Buffer): boolean {
  const { encoding } = sniffEncoding(head)
  if (encoding === 'utf-16le' || encoding === 'utf-16be') return false
  let controls = 0
  const sorts = new Set<number>()
  for (const byte of head) {
    if (byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d)) continue
    controls++
    sorts.add(byte)
  }
  return sorts.size >= 4 && controls > head.length * 0.03
}

class TableReader {
  readonly #document: string
  readonly #options: TableOptions
  readonly #report: (finding: Finding) => void
  #delimiter = ','
  #nextRow = 1
  #columns: readonly string[] | undefined
  /** Rows seen before the header was told. */
  #waiting: TableRow[] = []
  #empty: { readonly first: number; readonly count: number } | undefined
  stopped = false

  constructor(document: string, options: TableOptions, report: (finding: Finding) => void) {
    this.#document = document
    this.#options = options
    this.#report = report
  }

  begin(front: CsvFront): void {
    this.#delimiter = front.delimiter
    this.#nextRow = front.firstRow
  }

  read(piece: Piece): readonly TableRow[] {
    const rows = this.#readPiece(piece)
    return this.#columns === undefined ? this.#findHeader(rows, false) : this.#check(rows)
  }

  end(): readonly TableRow[] {
    const rows = this.#columns === undefined ? this.#findHeader([], true) : []
    if (this.#empty !== undefined) {
      const { first, count } = this.#empty
      const detail =
        count === 1 ? 'One empty row was left out.' : `${count} empty rows were left out.`
      this.#report({ code: 'METADATA.ROW_EMPTY', place: this.#place(first), detail })
    }
    return rows
  }

  #readPiece(piece: Piece): TableRow[] {
    if (piece.kind === 'records') return this.#readRecords(piece.bytes)
    if (piece.kind === 'broken') return this.#readBroken(piece)
    const row = this.#nextRow++
    this.#report({ code: 'METADATA.CELL_TOO_LONG', place: this.#place(row) })
    return [{ row, cells: [], broken: true }]
  }

  #readRecords(bytes: Buffer): TableRow[] {
    const first = this.#nextRow
    const records = tokenise(bytes, this.#delimiter)
    this.#nextRow += records.length
    const rows = records.map((cells, i) => ({ row: first + i, cells }))
    if (bytes.includes(0)) this.#reportCells(rows, '\0', 'METADATA.NUL')
    if (!isUtf8(bytes)) this.#reportCells(rows, '\ufffd', 'METADATA.NOT_UTF8')
    return rows
  }

  #readBroken(piece: Extract<Piece, { kind: 'broken' }>): TableRow[] {
    const row = this.#nextRow++
    const before = tokenise(piece.bytes.subarray(0, piece.openedAt), this.#delimiter)[0] ?? ['']
    const column = before.length - 1
    const text = piece.bytes.toString('utf8', piece.openedAt).replace(/[\r\n]+$/, '')
    this.#report({
      code:
        piece.problem === 'text after quote'
          ? 'METADATA.QUOTE_INSIDE'
          : 'METADATA.QUOTE_NOT_CLOSED',
      place: this.#place(row, column),
      value: text.slice(0, 200),
    })
    return [{ row, cells: before.slice(0, -1), broken: true }]
  }

  #findHeader(rows: readonly TableRow[], last: boolean): readonly TableRow[] {
    const all = [...this.#waiting, ...rows]
    const isHeader = this.#options.isHeader
    const candidates = all.filter(({ cells }) => !isEmpty(cells))
    const sought = candidates.slice(0, HEADER_SEARCH_ROWS)
    const found = isHeader === undefined ? undefined : sought.find(({ cells }) => isHeader(cells))
    if (
      found === undefined &&
      !last &&
      isHeader !== undefined &&
      candidates.length < HEADER_SEARCH_ROWS
    ) {
      this.#waiting = all
      return []
    }
    const header = found ?? candidates[0]
    this.#waiting = []
    if (header === undefined) {
      if (last) this.#report({ code: 'METADATA.EMPTY', place: { document: this.#document } })
      return []
    }
    this.#columns = header.cells.map((name) => name)
    if (header.cells.length > MAX_COLUMNS) {
      this.stopped = true
      this.#report({
        code: 'METADATA.TOO_MANY_COLUMNS',
        place: this.#place(header.row),
        value: String(header.cells.length),
        expected: `at most ${MAX_COLUMNS}`,
      })
      return []
    }
    for (const { row, cells } of candidates) {
      if (row >= header.row) break
      this.#report({
        code: 'METADATA.ABOVE_HEADER',
        place: this.#place(row),
        value: cells.join(' ').trim(),
      })
    }
    this.#options.onHeader({ row: header.row, names: header.cells, delimiter: this.#delimiter })
    return this.#check(all.filter(({ row }) => row > header.row))
  }

  #check(rows: readonly TableRow[]): readonly TableRow[] {
    const width = this.#columns?.length ?? 0
    let kept: TableRow[] | undefined
    for (const [i, row] of rows.entries()) {
      const checked = this.#checkRow(row, width)
      if (checked === row) kept?.push(row)
      else {
        kept ??= rows.slice(0, i)
        if (checked !== undefined) kept.push(checked)
      }
    }
    return kept ?? rows
  }

  /** The row itself, the part of it that can be used, or nothing where it says nothing. */
  #checkRow(whole: TableRow, width: number): TableRow | undefined {
    const { row, cells } = whole
    if (whole.broken === true) return whole
    if (cells[0] === '' && isEmpty(cells)) {
      this.#empty = { first: this.#empty?.first ?? row, count: (this.#empty?.count ?? 0) + 1 }
      return undefined
    }
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i] ?? ''
      if (cell.length <= MAX_CELL_CHARACTERS) continue
      this.#report({
        code: 'METADATA.CELL_TOO_LONG',
        place: this.#place(row, i),
        value: `${cell.length} characters`,
        expected: `at most ${MAX_CELL_CHARACTERS}`,
      })
      return { row, cells: cells.slice(0, i), broken: true }
    }
    if (cells.length === width || this.#options.even === false)
      return this.#repeatsHeader(row, cells) ? undefined : whole
    if (cells.length < width) {
      this.#report({
        code: 'METADATA.ROW_TOO_SHORT',
        place: this.#place(row),
        value: `${cells.length} cells`,
        expected: `${width} cells`,
      })
      return whole
    }
    // Spreadsheets leave empty cells at the end of rows; they say nothing.
    const extra = cells.findIndex((cell, i) => i >= width && cell !== '')
    if (extra !== -1) {
      this.#report({
        code: 'METADATA.ROW_TOO_LONG',
        place: this.#place(row, extra),
        value: cells[extra] ?? '',
        expected: `${width} cells`,
      })
    }
    return whole
  }

  #repeatsHeader(row: number, cells: readonly string[]): boolean {
    const columns = this.#columns ?? []
    if (columns[0] !== cells[0] || columns.length !== cells.length || columns.length < 2)
      return false
    if (!columns.every((name, i) => name === cells[i])) return false
    this.#report({ code: 'METADATA.HEADER_REPEATED', place: this.#place(row) })
    return true
  }

  #reportCells(
    rows: readonly TableRow[],
    character: string,
    code: 'METADATA.NUL' | 'METADATA.NOT_UTF8',
  ): void {
    for (const { row, cells } of rows) {
      const column = cells.findIndex((cell) => cell.includes(character))
      if (column === -1) continue
      this.#report({
        code,
        place: this.#place(row, column),
        value: (cells[column] ?? '').slice(0, 200),
      })
    }
  }

  #place(row: number, column?: number): NonNullable<Finding['place']> {
    const columnName = column === undefined ? undefined : this.#columns?.[column]
    return {
      document: this.#document,
      row,
      ...(column === undefined ? {} : { column: columnLetter(column) }),
      ...(columnName === undefined ? {} : { columnName }),
    }
  }
}

function isEmpty(cells: readonly string[]): boolean {
  return cells.every((cell) => cell === '' || cell.trim() === '')
}

function tokenise(bytes: Buffer, delimiter: string): string[][] {
  return parse(bytes, {
    delimiter,
    record_delimiter: lineEndsOf(bytes),
    relax_column_count: true,
    relax_quotes: true,
    bom: false,
  })
}

/** One known line end costs the tokeniser less than three to compare with. */
function lineEndsOf(bytes: Buffer): string[] {
  let pairs = 0
  for (let at = bytes.indexOf(0x0d); at !== -1; at = bytes.indexOf(0x0d, at + 1)) {
    if (bytes[at + 1] !== 0x0a) return ['\r\n', '\n', '\r']
    pairs++
  }
  if (pairs === 0) return ['\n']
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) pairs--
  return pairs === 0 ? ['\r\n'] : ['\r\n', '\n', '\r']
}
