import { countKnownHeaders, mapColumns, type MappedColumn } from '../metadata/columns.ts'
import { tdrProfile, type Profile } from '../metadata/profile.ts'
import type { StatedChecksum } from '../model/checksum.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument, SourceKind, Statement } from '../model/source.ts'
import { columnLetter, foreignFormat, readTable, type TableRow } from './csv-table.ts'
import { firstRows } from './csv-head.ts'

/** The table that people fill in for a transfer: one row for each file, TDR's headers. */
export const tdrMetadataCsv: SourceKind = {
  id: 'tdr-metadata-csv',
  summary: 'a metadata table with the columns of Transfer Digital Records',
  listsAllFiles: true,
  isMetadata: true,
  recognise,
  read,
}

const PATH = 'file_path'
const KNOWN_HEADERS = 3

/** Rows of a metadata table with the columns they are in. */
export type MetadataRows = {
  readonly columns: readonly MappedColumn[]
  readonly rows: readonly TableRow[]
}

/**
 * The rows of a metadata table in blocks. Problems of the table go to `report`, those of its
 * headers too. Every block has the same `columns`; no block comes where there is no header.
 */
export async function* readMetadataTable(
  document: SourceDocument,
  profile: Profile,
  report: (finding: Finding) => void,
): AsyncGenerator<MetadataRows> {
  let columns: readonly MappedColumn[] | undefined
  let empty = true
  const table = readTable(
    document,
    {
      isHeader: (names) => isMetadataHeader(profile, names),
      onHeader: ({ row, names }) => {
        const place = { document: document.key, row }
        columns = mapColumns(profile, names, place, columnLetter, report)
      },
    },
    report,
  )
  for await (const rows of table) {
    empty = false
    if (columns !== undefined) yield { columns, rows }
  }
  if (columns === undefined || !empty) return
  report({ code: 'METADATA.NO_ROWS', place: { document: document.key, row: 1 } })
  yield { columns, rows: [] }
}

/** A header names the path and something else, or enough columns to be no accident. */
function isMetadataHeader(profile: Profile, names: readonly string[]): boolean {
  const path = profile.columns.find(({ property }) => property === PATH)?.header
  const known = countKnownHeaders(profile, names)
  return known >= KNOWN_HEADERS || names.some((name) => name.trim().toLowerCase() === path)
}

function recognise(document: SourceDocument): boolean {
  if (foreignFormat(document.head) !== undefined) return /\.csv$/i.test(document.key)
  return firstRows(document).some((names) => isMetadataHeader(tdrProfile, names))
}

async function* read(
  document: SourceDocument,
  report: (finding: Finding) => void,
): AsyncGenerator<Statement> {
  for await (const { columns, rows } of readMetadataTable(document, tdrProfile, report)) {
    const path = columns.find(({ column }) => column?.property === PATH)
    if (path === undefined) return
    for (const row of rows) {
      const statement = toStatement(document.key, columns, path, row)
      if (statement !== undefined) yield statement
    }
  }
}

function toStatement(
  document: string,
  columns: readonly MappedColumn[],
  pathColumn: MappedColumn,
  { row, cells }: TableRow,
): Statement | undefined {
  const path = cells[pathColumn.index] ?? ''
  if (path === '') return undefined
  const place = { document, row, column: pathColumn.letter, columnName: pathColumn.header }
  const checksums: StatedChecksum[] = []
  const fields = columns.map(({ index, header, letter, column }) => {
    const cell = cells[index] ?? ''
    if (column?.property === 'client_side_checksum' && /^[0-9a-f]{64}$/i.test(cell)) {
      const at = { document, row, column: letter, columnName: header }
      checksums.push({ algorithm: 'sha256', value: cell.toLowerCase(), place: at })
    }
    return [column?.property ?? header, cell] as const
  })
  return { place, path, checksums, fields: Object.fromEntries(fields) }
}
