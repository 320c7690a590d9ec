import { createReadStream, createWriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { once } from 'node:events'
import { parse } from 'csv-parse'
import Papa from 'papaparse'
import { compileProfile } from '../engine/metadata/compile-profile.ts'
import { tdrProfile } from '../engine/metadata/profile.ts'
import type { SourceDocument } from '../engine/model/source.ts'
import { checkMetadataDocument } from '../engine/sources/check-metadata.ts'
import { tdrMetadataCsv } from '../engine/sources/tdr-metadata-csv.ts'

export type CsvBench = {
  readonly rows: number
  readonly bytes: number
  /** Rows per second. */
  readonly ours: number
  readonly csvParse: number
  readonly papaParse: number
  /** Decode + parse + validate against csv-parse alone, same options, same file. */
  readonly ratioToCsvParse: number
  readonly ratioToPapaParse: number
  readonly peakMegabytes: number
}

/** The tokeniser's options when nothing but csv-parse reads the file. */
const ALONE = {
  delimiter: ',',
  record_delimiter: ['\r\n', '\n', '\r'],
  relax_column_count: true,
  relax_quotes: true,
  bom: true,
}

const HEADER = tdrProfile.columns
  .slice(0, 23)
  .map(({ header }) => header ?? '')
  .join(',')

/** A metadata table as transfers have them: one row in nine closed, descriptions now and then quoted. */
export async function writeMetadataTable(path: string, rows: number): Promise<void> {
  const out = createWriteStream(path)
  out.write(`\ufeff${HEADER}\r\n`)
  for (let i = 0; i < rows; i++) {
    const file = `file-${i}.docx`
    const folder = `content/Retail/Series ${i % 40}/Box ${Math.floor(i / 100)}`
    const date = `20${10 + (i % 10)}-0${1 + (i % 9)}-1${i % 10}`
    const closed = i % 9 === 0
    const description =
      i % 5 === 0
        ? `"Minutes, with ""annexes"" ${i}"`
        : `Correspondence of the branch about item ${i}`
    const closure = closed ? `Closed,${date},27,27(1),2019-01-01,No,,No,` : 'Open,,,,,No,,No,'
    const line = `${folder}/${file},${file},${date},${date},${description},REF ${i},${closure},English,,Crown copyright,,,,,\r\n`
    if (!out.write(line)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
}

/** Measure on a file that `writeMetadataTable` wrote. Best of `rounds`, taken in turns. */
export async function benchCsv(path: string, rounds = 3): Promise<CsvBench> {
  const document = await fileDocument(path)
  const best = { ours: Infinity, csvParse: Infinity, papaParse: Infinity }
  let rows = 0
  let peak = 0
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20)
  for (let round = 0; round < rounds; round++) {
    const profile = compileProfile(tdrProfile)
    best.ours = Math.min(
      best.ours,
      await seconds(async () => {
        const settings = { profile, today: '2026-11-24' }
        const found: string[] = []
        const checked = await checkMetadataDocument(
          document,
          tdrMetadataCsv,
          settings,
          ({ code }) => found.push(code),
        )
        rows = checked.rows
        if (checked.failed > 0 || found.length > 0) {
          throw new Error(`${checked.failed} rows failed: ${found[0] ?? ''}`)
        }
      }),
    )
    peak = Math.max(peak, process.memoryUsage.rss())
    best.csvParse = Math.min(best.csvParse, await seconds(() => readWithCsvParse(path)))
    best.papaParse = Math.min(best.papaParse, await seconds(() => readWithPapaParse(path)))
  }
  clearInterval(timer)
  return {
    rows,
    bytes: document.sizeBytes,
    ours: rows / best.ours,
    csvParse: rows / best.csvParse,
    papaParse: rows / best.papaParse,
    ratioToCsvParse: best.csvParse / best.ours,
    ratioToPapaParse: best.papaParse / best.ours,
    peakMegabytes: peak / 1024 ** 2,
  }
}

/** Memory of checking alone: run it in a process of its own. */
export async function benchCsvMemory(
  path: string,
): Promise<{ rows: number; peakMegabytes: number }> {
  const profile = compileProfile(tdrProfile)
  let peak = 0
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10)
  const settings = { profile, today: '2026-11-24' }
  const { rows } = await checkMetadataDocument(
    await fileDocument(path),
    tdrMetadataCsv,
    settings,
    () => undefined,
  )
  clearInterval(timer)
  return { rows, peakMegabytes: peak / 1024 ** 2 }
}

async function fileDocument(path: string): Promise<SourceDocument> {
  const { size } = await stat(path)
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, 0)
  return {
    key: 'metadata/bench.csv',
    sizeBytes: size,
    head: buffer.subarray(0, bytesRead),
    open: () => createReadStream(path) as AsyncIterable<Buffer>,
  }
}

export async function readWithCsvParse(path: string): Promise<void> {
  let rows = 0
  for await (const _record of createReadStream(path).pipe(parse(ALONE))) rows++
  if (rows === 0) throw new Error('csv-parse read nothing')
}

async function readWithPapaParse(path: string): Promise<void> {
  let rows = 0
  const stream = createReadStream(path).pipe(Papa.parse(Papa.NODE_STREAM_INPUT, { delimiter: ',' }))
  for await (const _record of stream) rows++
  if (rows === 0) throw new Error('Papa Parse read nothing')
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
