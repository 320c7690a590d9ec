import type { FieldValue } from '../model/source.ts'
import { isDate } from './cell-value.ts'
import { ColumnChecker } from './column-checker.ts'
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

/** Columns that a closed record needs all of, or none. */
export const CLOSURE_PROPERTIES: ReadonlySet<string> = new Set([
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

const NONE: readonly Problem[] = []

/** Checks rows of one shape against a profile on one day. */
export class RowValidator {
  readonly #profile: CompiledProfile
  /** YYYY-MM-DD. */
  readonly #today: string
  readonly #checkers = new Map<string, ColumnChecker>()
  readonly #rules: ReadonlySet<string>

  constructor(profile: CompiledProfile, today: string) {
    this.#profile = profile
    this.#today = today
    this.#rules = new Set(profile.profile.rules)
  }

  /** One row from a document that has no table: any of the profile's properties, in any type. */
  validate(cells: readonly Cell[]): ValidatedRow {
    const values: Record<string, FieldValue> = {}
    const problems: Problem[] = []
    for (const { column, value } of cells) {
      const checked = this.#checkerOf(column).check(value)
      values[column.property] = checked.value
      problems.push(...checked.problems)
    }
    return this.#checkRow(values, problems)
  }

  /** A check of table rows that have `columns`; made once for a table, called for each row. */
  forTable(
    columns: readonly { readonly index: number; readonly column: ProfileColumn }[],
  ): (cells: readonly string[]) => ValidatedRow {
    const checkers = columns.map(({ index, column }) => {
      const checker = this.#checkerOf(column)
      return { index, property: column.property, checker }
    })
    // Copying one shape is several times faster than building it a property at a time.
    const shape: Row = Object.fromEntries(columns.map(({ column }) => [column.property, null]))
    return (cells) => {
      const values: Record<string, FieldValue> = { ...shape }
      let problems: Problem[] | undefined
      for (const { index, property, checker } of checkers) {
        const checked = checker.check(cells[index] ?? '')
        if (checked.value !== null) values[property] = checked.value
        if (checked.problems.length > 0) (problems ??= []).push(...checked.problems)
      }
      return this.#checkRow(values, problems)
    }
  }

  #checkerOf(column: ProfileColumn): ColumnChecker {
    let checker = this.#checkers.get(column.property)
    if (checker === undefined) {
      checker = new ColumnChecker(this.#profile, column, this.#today)
      this.#checkers.set(column.property, checker)
    }
    return checker
  }

  #checkRow(values: Row, ofCells: readonly Problem[] | undefined): ValidatedRow {
    const problems = [...(ofCells ?? NONE)]
    const type = values['closure_type']
    const found = this.#rowProblems(values, type)
    for (const problem of found) {
      // Once for each cell: a value that is wrong in itself is not also wrong for its row.
      if (!problems.some(({ property }) => property === problem.property)) problems.push(problem)
    }
    const doubtful = problems.some(({ property }) => CLOSURE_PROPERTIES.has(property))
    return { values, problems, closure: doubtful ? 'unknown' : closureOf(type) }
  }

  #rowProblems(values: Row, type: FieldValue | undefined): readonly Problem[] {
    const related = this.#profile.checkRelationships(values, this.#today)
    const dated = this.#rules.has('foi-schedule-date') ? foiSchedule(values) : NONE
    const started = this.#rules.has('closure-start-date') ? closureStart(values) : NONE
    const closure =
      type === 'Open'
        ? this.#profile.checkOpen(values, this.#today)
        : type === 'Closed'
          ? this.#profile.checkClosed(values, this.#today)
          : NONE
    const counted =
      type === 'Closed' && this.#rules.has('code-period-count') ? codesAndPeriods(values) : NONE
    const parts = [closure, counted, started, dated, related]
    return parts.some((part) => part.length > 0) ? parts.flat() : NONE
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
