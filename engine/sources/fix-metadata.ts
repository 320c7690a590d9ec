import { stringify } from 'csv-stringify/sync'
import type { MappedColumn } from '../metadata/columns.ts'
import { mapColumns } from '../metadata/columns.ts'
import { isDate } from '../metadata/cell-value.ts'
import { readDateOnce } from '../metadata/date-reading.ts'
import type { Profile } from '../metadata/profile.ts'
import type { Place } from '../model/checksum.ts'
import { codes, type FindingCode } from '../model/codes.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument } from '../model/source.ts'
import { columnLetter, readTable, type TableRow } from './csv-table.ts'

export type MetadataChange = {
  readonly what: 'encoding' | 'delimiter' | 'header' | 'date' | 'row left out'
  readonly place: Place
  readonly from: string
  readonly to: string
}

/** Told by reading, and put right by writing the table anew. */
const LEFT_OUT: ReadonlySet<FindingCode> = new Set([
  'METADATA.ABOVE_HEADER',
  'METADATA.HEADER_REPEATED',
  'METADATA.ROW_EMPTY',
])
const ENCODING: ReadonlySet<FindingCode> = new Set([
  'METADATA.ENCODING_ASSUMED',
  'METADATA.ENCODING_UTF16',
])

/**
 * A corrected copy of a metadata table, in pieces: UTF-8 with byte order mark, commas, CR LF,
 * headers as the profile spells them, dates as YYYY-MM-DD where they can be read in one way only.
 * Nothing else is touched; a closure is never guessed.
 *
 * `onChange` is told of every change. `onRefusal` is told of damage that a copy would hide, such
 * as a quote that is never closed: a copy made then must be thrown away.
 */
export async function* fixMetadata(
  document: SourceDocument,
  profile: Profile,
  onChange: (change: MetadataChange) => void,
  onRefusal: (finding: Finding) => void,
): AsyncGenerator<string> {
  const report = (finding: Finding) => {
    const place = finding.place ?? { document: document.key }
    if (ENCODING.has(finding.code)) {
      onChange({ what: 'encoding', place, from: finding.value ?? '', to: 'UTF-8' })
    } else if (LEFT_OUT.has(finding.code)) {
      onChange({ what: 'row left out', place, from: finding.value ?? '', to: '' })
    } else if (codes[finding.code].severity === 'error') onRefusal(finding)
  }
  const known = new Set(profile.columns.flatMap(({ header }) => header ?? []))
  let columns: readonly MappedColumn[] = []
  let header: readonly string[] = []
  const table = readTable(
    document,
    {
      isHeader: (names) => names.some((name) => known.has(name.trim().toLowerCase())),
      onHeader: ({ row, names, delimiter }) => {
        const place = { document: document.key, row }
        if (delimiter !== ',') onChange({ what: 'delimiter', place, from: delimiter, to: ',' })
        columns = mapColumns(profile, names, place, columnLetter, () => undefined)
        header = correctHeader(names, columns, place, onChange)
      },
    },
    report,
  )
  let isFirst = true
  for await (const rows of table) {
    const fixed = rows.map((row) => fixRow(document.key, row, columns, onChange))
    yield write(isFirst ? [header, ...fixed] : fixed, isFirst)
    isFirst = false
  }
  if (isFirst && header.length > 0) yield write([header], true)
}

function write(rows: readonly (readonly string[])[], isFirst: boolean): string {
  const text = stringify(
    rows.map((row) => [...row]),
    { record_delimiter: '\r\n', quoted_match: /[\r\n]/ },
  )
  return isFirst ? `\ufeff${text}` : text
}

function correctHeader(
  names: readonly string[],
  columns: readonly MappedColumn[],
  place: Place,
  onChange: (change: MetadataChange) => void,
): string[] {
  const corrected = [...names]
  for (const { index, header, letter, column } of columns) {
    if (column?.header === undefined || column.header === header) continue
    corrected[index] = column.header
    const at = { ...place, column: letter, columnName: header }
    onChange({ what: 'header', place: at, from: header, to: column.header })
  }
  return corrected
}

function fixRow(
  document: string,
  { row, cells }: TableRow,
  columns: readonly MappedColumn[],
  onChange: (change: MetadataChange) => void,
): readonly string[] {
  let fixed: string[] | undefined
  for (const { index, header, letter, column } of columns) {
    const from = cells[index] ?? ''
    if (column?.type !== 'date' || from === '' || isDate(from)) continue
    const to = readDateOnce(from)
    if (to === undefined) continue
    fixed ??= [...cells]
    fixed[index] = to
    const place = { document, row, column: letter, columnName: header }
    onChange({ what: 'date', place, from, to })
  }
  return fixed ?? cells
}
