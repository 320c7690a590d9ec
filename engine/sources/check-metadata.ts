import { showValue } from '../metadata/cell-value.ts'
import type { MappedColumn } from '../metadata/columns.ts'
import type { CompiledProfile, Problem } from '../metadata/compile-profile.ts'
import { ProfileTally } from '../metadata/profile-tally.ts'
import { RowValidator, type Cell, type ValidatedRow } from '../metadata/validate-row.ts'
import { codes } from '../model/codes.ts'
import type { Finding } from '../model/finding.ts'
import type { MetadataProfile } from '../model/outcome.ts'
import type { FieldValue, SourceDocument, SourceKind, Statement } from '../model/source.ts'
import type { TableRow } from './csv-table.ts'
import { readMetadataTable, tdrMetadataCsv } from './tdr-metadata-csv.ts'

export type MetadataCheck = {
  readonly profile: MetadataProfile
  readonly rows: number
  /** Rows without a finding of severity error. passed + failed = rows. */
  readonly passed: number
  readonly failed: number
}

export type MetadataCheckSettings = {
  readonly profile: CompiledProfile
  /** YYYY-MM-DD: the day that "after today" is told by. */
  readonly today: string
  /**
   * False leaves out what `kind.read` reports too (bytes, table, headers), for a document whose
   * statements were taken earlier.
   */
  readonly reportReading?: boolean
}

/**
 * Check every row of one metadata document. Findings go to `report` in row order, one cell once;
 * none are held, so a million bad rows need no more memory than one.
 */
export async function checkMetadataDocument(
  document: SourceDocument,
  kind: SourceKind,
  settings: MetadataCheckSettings,
  report: (finding: Finding) => void,
): Promise<MetadataCheck> {
  const checker = new DocumentChecker(document.key, settings, report)
  if (kind.id === tdrMetadataCsv.id) {
    const { profile } = settings.profile
    for await (const { columns, rows } of readMetadataTable(document, profile, checker.reading)) {
      checker.checkRows(columns, rows)
    }
  } else {
    for await (const statement of kind.read(document, checker.reading)) {
      if (statement.fields !== undefined) checker.checkStatement(statement, statement.fields)
    }
  }
  return checker.result()
}

type KnownColumn = MappedColumn & { readonly column: NonNullable<MappedColumn['column']> }

class DocumentChecker {
  readonly #document: string
  readonly #report: (finding: Finding) => void
  readonly #profile: CompiledProfile
  readonly #validator: RowValidator
  readonly #tally: ProfileTally
  readonly #failedRows = { failed: 0, rows: 0 }
  /** The row that a finding of the table last spoke of, and whether it blocks. */
  readonly #brokenRows = new Set<number>()
  readonly #reportReading: boolean
  /** No row says what a missing column would, so that none can pass. */
  #columnsMissing = false
  #columns: readonly MappedColumn[] | undefined
  #known: readonly KnownColumn[] = []
  #validateCells: (cells: readonly string[]) => ValidatedRow
  #tallied: readonly KnownColumn[] = []
  #byProperty: ReadonlyMap<string, KnownColumn> = new Map()
  readonly #headers = new Set<string>()

  constructor(
    document: string,
    settings: MetadataCheckSettings,
    report: (finding: Finding) => void,
  ) {
    this.#document = document
    this.#report = report
    this.#profile = settings.profile
    this.#validator = new RowValidator(settings.profile, settings.today)
    this.#validateCells = this.#validator.forTable([])
    this.#tally = new ProfileTally(settings.profile.profile)
    this.#reportReading = settings.reportReading !== false
  }

  /** For findings made while reading: a row that has one of severity error fails. */
  readonly reading = (finding: Finding): void => {
    const row = finding.place?.row
    if (row !== undefined && codes[finding.code].severity === 'error') this.#brokenRows.add(row)
    if (finding.code === 'METADATA.COLUMN_MISSING') this.#columnsMissing = true
    if (this.#reportReading) this.#report(finding)
  }

  checkRows(columns: readonly MappedColumn[], rows: readonly TableRow[]): void {
    if (this.#columns === undefined) {
      this.#columns = columns
      this.#known = columns.filter((column): column is KnownColumn => column.column !== undefined)
      this.#tallied = this.#known.filter(
        ({ column }) => column.type === 'flag' || column.default !== undefined,
      )
      this.#validateCells = this.#validator.forTable(this.#known)
      this.#byProperty = new Map(this.#known.map((known) => [known.column.property, known]))
      this.#tally.columns(columns)
    }
    const path = this.#byProperty.get('file_path')
    for (const row of rows) {
      if (row.broken === true) {
        this.#tally.unreadableRow()
        this.#count(true)
        continue
      }
      const validated = this.#validateCells(row.cells)
      this.#tally.row(validated)
      for (const { index, column } of this.#tallied) {
        this.#tally.cell(column, row.cells[index] ?? '')
      }
      if (validated.problems.length > 0) {
        const written = path === undefined ? '' : (row.cells[path.index] ?? '')
        this.#reportProblems(validated, written, row.row, (problem) => {
          const known = this.#byProperty.get(problem.property)
          return known === undefined ? undefined : row.cells[known.index]
        })
      }
      this.#count(this.#columnsMissing || this.#isBroken(row.row) || fails(validated))
    }
    this.#brokenRows.clear()
  }

  checkStatement(statement: Statement, fields: Readonly<Record<string, FieldValue>>): void {
    const cells: Cell[] = []
    for (const [property, value] of Object.entries(fields)) {
      const column = this.#profile.columnOf.get(property)
      if (column !== undefined) cells.push({ column, value })
      this.#noteField(property, column)
    }
    const validated = this.#validator.validate(cells)
    this.#tally.row(validated)
    for (const { column, value } of cells) {
      if (typeof value === 'string') this.#tally.cell(column, value)
    }
    const { row } = statement.place
    const valueOf = ({ property }: Problem) => {
      const value = fields[property]
      return value === undefined ? undefined : showValue(value)
    }
    this.#reportProblems(validated, statement.path, row, valueOf, statement.fieldPlace)
    this.#count((row !== undefined && this.#isBroken(row)) || fails(validated))
    this.#brokenRows.clear()
  }

  result(): MetadataCheck {
    const { rows, failed } = this.#failedRows
    return { profile: this.#tally.result(), rows, passed: rows - failed, failed }
  }

  #isBroken(row: number): boolean {
    return this.#brokenRows.size > 0 && this.#brokenRows.has(row)
  }

  #noteField(property: string, column: MappedColumn['column']): void {
    if (this.#headers.has(property)) return
    this.#headers.add(property)
    const header = column?.header ?? property
    const known = column === undefined ? {} : { column }
    this.#tally.columns([{ index: -1, header, letter: '', ...known }])
  }

  #count(failed: boolean): void {
    this.#failedRows.rows++
    if (failed) this.#failedRows.failed++
  }

  #reportProblems(
    { problems }: ValidatedRow,
    path: string,
    row: number | undefined,
    valueOf: (problem: Problem) => string | undefined,
    placeOf?: Statement['fieldPlace'],
  ): void {
    for (const problem of problems) {
      const known = this.#byProperty.get(problem.property)
      const columnName = known?.header ?? this.#profile.columnOf.get(problem.property)?.header
      const value = valueOf(problem)
      this.#report({
        code: problem.code,
        ...(path === '' ? {} : { path }),
        place: placeOf?.(problem.property) ?? {
          document: this.#document,
          ...(row === undefined ? {} : { row }),
          ...(known === undefined ? {} : { column: known.letter }),
          columnName: columnName ?? problem.property,
        },
        ...(value === undefined ? {} : { value }),
        ...(problem.expected === undefined ? {} : { expected: problem.expected }),
        ...(problem.detail === undefined ? {} : { detail: problem.detail }),
      })
    }
  }
}

function fails({ problems }: ValidatedRow): boolean {
  return problems.some(({ code }) => codes[code].severity === 'error')
}
