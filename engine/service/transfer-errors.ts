import { CsvError, parse } from 'csv-parse'
import { Readable } from 'node:stream'
import type { Store } from '../adapters/store.ts'
import type { TransferAddress } from '../model/transfer.ts'
import { findingColumns } from '../report/csv.ts'
import type { Delivered, ReportFile } from '../run/deliver.ts'
import { readCompleted, readRefused } from './complete.ts'
import type { ServiceContext } from './context.ts'
import { Problem } from './problem.ts'
import type { TransferReader } from './transfer-status.ts'

/** One error of a transfer. What TDR spells in two ways, `errorMsg` and `errorMessage`, is one field here. */
export type TransferError = {
  readonly consignmentId: string
  /** The record's name below `records/`, where the sender gave it one of its own. */
  readonly matchId?: string
  /** The record's path as the sender knows it. */
  readonly path?: string
  readonly source: string
  readonly errorCode: string
  readonly errorMessage: string
  readonly howToFix?: string
  /** Document, row and column of a metadata table. */
  readonly place?: { readonly document: string; readonly row?: number; readonly column?: string }
}

export type TransferErrorsPage = {
  /** Whether there is a report: until then more errors may come. */
  readonly uploadCompleted: boolean
  readonly transferId: string
  readonly errors: readonly TransferError[]
  readonly cursor?: string
}

/**
 * What is wrong with a transfer, a page at a time: what the sender itself could not load, then,
 * from the moment there is a report, every finding of severity error, in the report's order.
 */
export async function readTransferErrors(
  context: ServiceContext,
  reader: TransferReader,
  transfer: TransferAddress,
  options: { readonly limit: number; readonly cursor?: string },
): Promise<TransferErrorsPage> {
  const { transferId } = transfer
  const delivered = await reader.delivered(transfer)
  const findings = delivered?.files.find(({ name }) => name === 'findings.csv')
  if (delivered === undefined || findings === undefined)
    return {
      uploadCompleted: false,
      transferId,
      ...beforeReport(await stated(context, transfer), options),
    }
  const page = await readFindings(context.reports, findings, options)
  const named = await matchIds(context.reports, delivered, page.rows)
  return {
    uploadCompleted: true,
    transferId,
    errors: page.rows.map((row) => toError(row, transfer, named)),
    ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
  }
}

/** What is known before anything is checked. */
async function stated(
  context: ServiceContext,
  transfer: TransferAddress,
): Promise<readonly TransferError[]> {
  const about = { consignmentId: transfer.transferId, source: transfer.source }
  const completed = await readCompleted(context, transfer)
  if (completed !== undefined)
    return completed.loadErrors.map((errorMessage) => ({
      ...about,
      errorCode: 'TRANSFER.CLIENT_ERROR',
      errorMessage,
    }))
  const refused = await readRefused(context, transfer)
  return (refused?.errors ?? []).map(({ code, message, key }) => {
    const name = key === undefined ? undefined : recordName(key)
    return {
      ...about,
      ...(name === undefined ? {} : { matchId: name }),
      errorCode: code,
      errorMessage: message,
    }
  })
}

function beforeReport(
  errors: readonly TransferError[],
  options: { readonly limit: number; readonly cursor?: string },
): Pick<TransferErrorsPage, 'errors' | 'cursor'> {
  const at = options.cursor === undefined ? 0 : readCursor(options.cursor, 'stated')
  const end = at + options.limit
  return {
    errors: errors.slice(at, end),
    ...(end < errors.length ? { cursor: cursorAt('stated', end) } : {}),
  }
}

type FindingRow = Readonly<Record<(typeof findingColumns)[number], string>>

/** A page of findings.csv from a cursor, which says how many bytes of it were read before. */
async function readFindings(
  reports: Store,
  file: ReportFile,
  options: { readonly limit: number; readonly cursor?: string },
): Promise<{ readonly rows: readonly FindingRow[]; readonly cursor?: string }> {
  const startByte = options.cursor === undefined ? 0 : readCursor(options.cursor, file.sha256)
  const rows: FindingRow[] = []
  let readTo = startByte
  for await (const { record, info } of csvRecords(reports, file.key, startByte)) {
    const row = record as FindingRow
    if (row.severity === 'error' && row.code !== 'code') {
      if (rows.length === options.limit) return { rows, cursor: cursorAt(file.sha256, readTo) }
      rows.push(row)
    }
    readTo = startByte + info.bytes
  }
  return { rows }
}

type CsvRecord = {
  readonly record: Readonly<Record<string, string>>
  readonly info: { readonly bytes: number }
}

async function* csvRecords(
  store: Store,
  key: string,
  startByte: number,
  columns: readonly string[] | true = findingColumns,
): AsyncGenerator<CsvRecord> {
  const source = Readable.from(store.stream(key, { startByte }), { objectMode: false })
  const parser = parse({
    bom: startByte === 0,
    columns: columns === true ? true : [...columns],
    info: true,
  })
  source.on('error', (error) => parser.destroy(error))
  try {
    for await (const record of source.pipe(parser) as AsyncIterable<CsvRecord>) yield record
  } catch (error) {
    // A report's table is always well formed; a place in it that somebody made up is not.
    if (startByte > 0 && error instanceof CsvError) throw changedList()
    throw error
  } finally {
    source.destroy()
  }
}

const NAMED_FILES = 100_000 // above this a page would cost more reading than it is worth

/** For records in TDR's layout, the name below `records/` of each path on the page. */
async function matchIds(
  reports: Store,
  delivered: Delivered,
  rows: readonly FindingRow[],
): Promise<ReadonlyMap<string, string>> {
  const named = new Map<string, string>()
  const wanted = new Set(rows.flatMap(({ path }) => (path === '' ? [] : [path])))
  const files = delivered.files.find(({ name }) => name === 'files.csv')
  if (wanted.size === 0 || files === undefined || delivered.counts.files > NAMED_FILES) return named
  for await (const { record } of csvRecords(reports, files.key, 0, true)) {
    const { path = '', key = '' } = record
    const name = recordName(key)
    if (name !== undefined && wanted.delete(path) && name !== path) named.set(path, name)
    if (wanted.size === 0) break
  }
  return named
}

function recordName(key: string): string | undefined {
  return /^records\/(.+)$/s.exec(key)?.[1]
}

function toError(
  row: FindingRow,
  transfer: TransferAddress,
  named: ReadonlyMap<string, string>,
): TransferError {
  const matchId =
    named.get(row.path) ?? /^metadata\/([^/]+)\.metadata$/.exec(row.source_file)?.[1] ?? undefined
  return {
    consignmentId: transfer.transferId,
    ...(matchId === undefined ? {} : { matchId }),
    ...(row.path === '' ? {} : { path: row.path }),
    source: transfer.source,
    errorCode: row.code,
    errorMessage: row.message,
    ...(row.how_to_fix === '' ? {} : { howToFix: row.how_to_fix }),
    ...(row.source_file === ''
      ? {}
      : {
          place: {
            document: row.source_file,
            ...(row.row === '' ? {} : { row: Number(row.row) }),
            ...(row.column === '' ? {} : { column: row.column }),
          },
        }),
  }
}

/** Of which list, and how far. A newer report is another list. */
function cursorAt(list: string, position: number): string {
  return `${list.slice(0, LIST_CHARACTERS)}.${position}`
}

const LIST_CHARACTERS = 16

function readCursor(cursor: string, list: string): number {
  const match = /^([0-9a-z]{1,16})\.(\d{1,15})$/.exec(cursor)
  if (match === null || match[1] !== list.slice(0, LIST_CHARACTERS)) throw changedList()
  return Number(match[2])
}

function changedList(): Problem {
  return new Problem(
    410,
    'The list has changed',
    'The cursor is of another list of errors. Begin again without one.',
  )
}
