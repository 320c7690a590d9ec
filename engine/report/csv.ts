import { stringify } from 'csv-stringify/sync'
import { algorithms } from '../model/checksum.ts'
import { checks, type CheckId } from '../model/code-facts.ts'
import { codes } from '../model/codes.ts'
import type { Finding } from '../model/finding.ts'
import type { FileRow, OutcomeTables } from '../model/outcome.ts'
import { visible } from './visible.ts'

const BOM = '\ufeff' // without it Excel takes UTF-8 for Windows-1252
const ROWS_PER_PIECE = 1000

type Cell = string | number | undefined

/** The header of findings.csv. */
export const findingColumns = [
  'code',
  'severity',
  'actor',
  'check',
  'path',
  'source_file',
  'row',
  'column',
  'column_name',
  'value',
  'expected',
  'message',
  'how_to_fix',
] as const

/** findings.csv: every finding and everything unchecked, never capped. */
export async function* findingsCsv(
  tables: Pick<OutcomeTables, 'findings' | 'unchecked'>,
): AsyncGenerator<string> {
  yield BOM + toCsv([findingColumns])
  yield* inPieces(tables.findings(), findingCells)
  yield* inPieces(tables.unchecked(), ({ reason, path, message }) => [
    `UNCHECKED.${reason.toUpperCase()}`,
    'error',
    'us',
    '',
    sent(path),
    '',
    '',
    '',
    '',
    '',
    '',
    message,
    'Nothing for the sender to do: we try again.',
  ])
}

function findingCells({ code, path, place, value, expected, detail }: Finding): Cell[] {
  const facts = codes[code]
  return [
    code,
    facts.severity,
    facts.actor,
    checks[facts.check],
    sent(path),
    sent(place?.document),
    place?.row,
    place?.column,
    sent(place?.columnName),
    sent(value),
    sent(expected),
    sent(detail === undefined ? facts.sentence : `${facts.sentence} ${detail}`),
    facts.howToFix,
  ]
}

const CHECK_IDS = Object.keys(checks) as CheckId[]

/** files.csv: one line for every file, in key order. First this, then `filesCsvRows` as often as needed. */
export function filesCsvHeader(): string {
  const header = ['path', 'key', 'size_bytes', ...algorithms, 'stated', 'version', ...CHECK_IDS]
  return BOM + toCsv([[...header, 'codes', 'carried_from_attempt']])
}

export function filesCsvRows(rows: readonly FileRow[]): string {
  return toCsv(rows.map(fileCells))
}

function fileCells(row: FileRow): Cell[] {
  return [
    sent(row.path),
    sent(row.key),
    row.sizeBytes,
    ...algorithms.map((algorithm) => row.digests[algorithm]),
    row.stated.join(' '),
    row.versionId,
    ...CHECK_IDS.map((check) => row.outcomes[check]),
    row.codes.join(' '),
    row.carriedFromAttempt,
  ]
}

async function* inPieces<T>(
  values: AsyncIterable<T>,
  toCells: (value: T) => Cell[],
): AsyncGenerator<string> {
  let rows: Cell[][] = []
  for await (const value of values) {
    rows.push(toCells(value))
    if (rows.length < ROWS_PER_PIECE) continue
    yield toCsv(rows)
    rows = []
  }
  if (rows.length > 0) yield toCsv(rows)
}

function toCsv(rows: readonly (readonly Cell[])[]): string {
  return stringify(rows as Cell[][], { record_delimiter: '\r\n' })
}

const FORMULA = /^[=+\-@\t\r]/

/**
 * A text that came from a sender: control characters made visible, and never a formula to a
 * spreadsheet. csv-stringify's own escape_formulas would also change numbers below zero.
 */
function sent(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  return FORMULA.test(text) ? `'${visible(text)}` : visible(text)
}
