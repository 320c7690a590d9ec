import type { Place } from '../model/checksum.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceKind, Statement } from '../model/source.ts'
import { firstRows } from './csv-head.ts'
import { columnLetter, readTable } from './csv-table.ts'
import { asManifest } from './manifest-report.ts'

/** The cells of one row by their header, whatever its case. */
export type FileRowCells = {
  /** '' where the table has no such column, or the cell is empty. */
  get(header: string): string
  /** Where a cell is, for findings. */
  at(header: string): Place
  readonly place: Place
  readonly all: Readonly<Record<string, string>>
}

export type FileTable = Pick<SourceKind, 'id' | 'summary' | 'listsAllFiles' | 'isMetadata'> & {
  /** Whether these are the table's headers, in small letters. */
  isHeader(names: ReadonlySet<string>): boolean
  /** Rows may have more or fewer cells than the header (DROID). */
  readonly ragged?: true
  /** undefined for a row that is about no file. */
  toStatement(
    cells: FileRowCells,
    report: (finding: Finding) => void,
  ): Omit<Statement, 'place'> | undefined
}

/** A kind of CSV document with one row for each file. */
export function fileTableKind(table: FileTable): SourceKind {
  const isHeader = (names: readonly string[]) =>
    table.isHeader(new Set(names.map((name) => name.trim().toLowerCase())))
  return {
    id: table.id,
    summary: table.summary,
    listsAllFiles: table.listsAllFiles,
    ...(table.isMetadata === undefined ? {} : { isMetadata: table.isMetadata }),
    recognise: (document) => firstRows(document).some(isHeader),
    async *read(document, reportAsMetadata) {
      const report = table.isMetadata === true ? reportAsMetadata : asManifest(reportAsMetadata)
      let headers: readonly string[] = []
      const indexOf = new Map<string, number>()
      const rows = readTable(
        document,
        {
          isHeader,
          ...(table.ragged === true ? { even: false } : {}),
          onHeader: ({ names }) => {
            headers = names
            for (const [index, name] of names.entries()) {
              const key = name.trim().toLowerCase()
              if (!indexOf.has(key)) indexOf.set(key, index)
            }
          },
        },
        report,
      )
      for await (const block of rows) {
        for (const { row, cells, broken } of block) {
          if (broken === true) continue
          const place = { document: document.key, row }
          const statement = table.toStatement(
            {
              place,
              get: (header) => cells[indexOf.get(header.toLowerCase()) ?? -1]?.trim() ?? '',
              at: (header) => {
                const index = indexOf.get(header.toLowerCase())
                return index === undefined
                  ? place
                  : { ...place, column: columnLetter(index), columnName: headers[index] ?? header }
              },
              all: Object.fromEntries(headers.map((name, index) => [name, cells[index] ?? ''])),
            },
            report,
          )
          if (statement !== undefined) yield { place, ...statement }
        }
      }
    },
  }
}

/** A whole number of bytes as a cell has it; undefined for anything else. */
export function sizeIn(text: string): { readonly sizeBytes?: number } {
  return /^\d+$/.test(text) ? { sizeBytes: Number(text) } : {}
}
