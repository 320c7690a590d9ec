import type { FieldValue } from '../model/source.ts'
import { isDate, readCell } from './cell-value.ts'
import type { CompiledProfile, Problem, Row } from './compile-profile.ts'
import type { ProfileColumn } from './profile.ts'

export type Closure = 'open' | 'closed' | 'unknown'

export type ValidatedRow = {
  readonly values: Row
  readonly problems: readonly Problem[]
  /** Open and closed only where nothing that concerns closure is wrong or in doubt. */
  readonly closure: Closure
}

/** One value of a row as its document has it. */
export type Cell = { readonly column: ProfileColumn; readonly value: FieldValue }

type Checked = { readonly value: FieldValue; readonly problems: readonly Problem[] }

const CLOSURE_PROPERTIES = new Set([
  'closure_type',
  'closure_start_date',
  'closure_period',
  'foi_exemption_code',
  'foi_exemption_asserted',
  'title_closed',
  'title_alternate',
  'description_closed',
  'description_alternate',
])

const MEMO_ENTRIES = 10_000
const MEMO_CHARACTERS = 128
const NONE: readonly Problem[] = []

/**
 * Checks rows against a profile on one day. Most cells of a column repeat, so what was found out
 * about a short text is kept; columns where few repeat are noticed and left alone.
 */
export class RowValidator {
  readonly #profile: CompiledProfile
  /** YYYY-MM-DD. */
  readonly #today: string
  readonly #memos = new Map<string, { seen: Map<string, Checked>; hits: number; misses: number }>()
  readonly #rules: ReadonlySet<string>

  constructor(profile: CompiledProfile, today: string) {
    this.#profile = profile
    this.#today = today
    this.#rules = new Set(profile.profile.rules)
  }

  validate(cells: readonly Cell[]): ValidatedRow {
    const values: Record<string, FieldValue> = {}
    let problems: Problem[] | undefined
    for (const { column, value } of cells) {
      const checked = this.checkCell(column, value)
      values[column.property] = checked.value
      if (checked.problems.length > 0) (problems ??= []).push(...checked.problems)
    }
    return this.#finish(values, problems)
  }

  /** The same for the cells of a table row, without an object for each cell. */
  validateCells(
    columns: readonly { readonly index: number; readonly column: ProfileColumn }[],
    cells: readonly string[],
  ): ValidatedRow {
    const values: Record<string, FieldValue> = {}
    let problems: Problem[] | undefined
    for (const { index, column } of columns) {
      const checked = this.checkCell(column, cells[index] ?? '')
      values[column.property] = checked.value
      if (checked.problems.length > 0) (problems ??= []).push(...checked.problems)
    }
    return this.#finish(values, problems)
  }

  checkCell(column: ProfileColumn, cell: FieldValue): Checked {
    if (typeof cell !== 'string' || cell.length > MEMO_CHARACTERS) return this.#read(column, cell)
    let memo = this.#memos.get(column.property)
    if (memo === undefined) {
      memo = { seen: new Map(), hits: 0, misses: 0 }
      this.#memos.set(column.property, memo)
    }
    const known = memo.seen.get(cell)
    if (known !== undefined) {
      memo.hits++
      return known
    }
    const checked = this.#read(column, cell)
    memo.misses++
    if (memo.seen.size < MEMO_ENTRIES) memo.seen.set(cell, checked)
    else if (memo.hits < memo.misses) memo.seen = new Map([['', this.#read(column, '')]])
    return checked
  }

  #read(column: ProfileColumn, cell: FieldValue): Checked {
    const value = readCell(cell, column.type, this.#profile.profile.listSeparator)
    // What JSON calls true or 7 is no word; as a closure it must not become one.
    const problems = this.#profile.checkValue(column.property, value, this.#today)
    return { value, problems }
  }

  #finish(values: Row, cellProblems: Problem[] | undefined): ValidatedRow {
    const problems = cellProblems ?? []
    const bad = new Set(problems.length === 0 ? [] : problems.map(({ property }) => property))
    const add = (found: readonly Problem[]) => {
      for (const problem of found) {
        // Once for each cell: a value that is wrong in itself is not also wrong for its row.
        if (bad.has(problem.property)) continue
        problems.push(problem)
        bad.add(problem.property)
      }
    }
    const type = values['closure_type']
    if (type === 'Open') add(this.#profile.checkOpen(values))
    else if (type === 'Closed') {
      add(this.#profile.checkClosed(values))
      if (this.#rules.has('code-period-count')) add(codesAndPeriods(values))
    }
    if (this.#rules.has('closure-start-date')) add(closureStart(values))
    if (this.#rules.has('foi-schedule-date')) add(foiSchedule(values))
    add(this.#profile.checkRelationships(values))
    const doubtful =
      problems.length > 0 && problems.some(({ property }) => CLOSURE_PROPERTIES.has(property))
    const closure = doubtful ? 'unknown' : closureOf(type)
    return { values, problems: problems.length === 0 ? NONE : problems, closure }
  }
}

function closureOf(type: FieldValue | undefined): Closure {
  if (type === 'Open') return 'open'
  return type === 'Closed' ? 'closed' : 'unknown'
}

/** Reported on both columns, as either may be the wrong one. */
function codesAndPeriods(row: Row): readonly Problem[] {
  const foiCodes = row['foi_exemption_code']
  const periods = row['closure_period']
  if (!Array.isArray(foiCodes) || !Array.isArray(periods) || foiCodes.length === periods.length) {
    return NONE
  }
  const detail = `There are ${foiCodes.length} codes and ${periods.length} periods.`
  const code = 'METADATA.CODE_PERIOD_COUNT'
  return [
    { property: 'foi_exemption_code', code, detail },
    { property: 'closure_period', code, detail },
  ]
}

/** TDR accepts this start for any record. */
const ALWAYS_ACCEPTED_START = '2006-12-31'

function closureStart(row: Row): readonly Problem[] {
  const start = row['closure_start_date']
  if (typeof start !== 'string' || !isDate(start) || start === ALWAYS_ACCEPTED_START) return NONE
  const basis = row['end_date'] ?? row['date_last_modified']
  if (typeof basis !== 'string' || !isDate(basis)) return NONE
  const endOfYear = `${basis.slice(0, 4)}-12-31`
  if (start === basis || start === endOfYear) return NONE
  const expected = `${basis} or ${endOfYear}`
  return [{ property: 'closure_start_date', code: 'METADATA.CLOSURE_START_DIFFERS', expected }]
}

function foiSchedule(row: Row): readonly Problem[] {
  const asserted = row['foi_exemption_asserted']
  if (typeof asserted !== 'string' || !isDate(asserted)) return NONE
  const property = 'foi_exemption_asserted'
  if (asserted < '2000-01-01') {
    return [{ property, code: 'METADATA.FOI_DATE_BEFORE_2000', expected: '2000-01-01 or later' }]
  }
  return asserted === row['closure_start_date']
    ? [{ property, code: 'METADATA.FOI_DATE_SAME' }]
    : NONE
}
