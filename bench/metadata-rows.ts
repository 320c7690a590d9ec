import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createFolderStore } from '../engine/adapters/folder-store.ts'
import { tdrProfile } from '../engine/metadata/profile.ts'
import { createCheckPool } from '../engine/pool/pool.ts'
import { tdrMetadataCsv } from '../engine/sources/tdr-metadata-csv.ts'
import { tdrMetadataXml } from '../engine/sources/tdr-metadata-xml.ts'
import { openDocument } from '../engine/adapters/sealed-document.ts'
import { awakeIntervals } from '../lifecycle/awake.ts'
import { holidayCalendar, shippedSnapshot } from '../lifecycle/bank-holidays.ts'
import { compile, horizon } from '../lifecycle/compile.ts'
import { replay } from '../lifecycle/replay.ts'
import { defaultSchedule } from '../lifecycle/schedule.ts'
import { benchCsv, readWithCsvParse, writeMetadataTable } from './csv.ts'
import type { Row } from './rows.ts'

const ROWS = 200_000
const ROUNDS = 3

/** Decoded, parsed and checked on one thread, against csv-parse and Papa Parse alone on the same file. */
export function metadataCsv(): Promise<Row> {
  return withFolder(async (folder) => {
    const path = join(folder, 'metadata.csv')
    await writeMetadataTable(path, ROWS)
    const { ours, csvParse, papaParse, ratioToCsvParse, ratioToPapaParse } = await benchCsv(path)
    const rows = (value: number) => `${Math.round(value).toLocaleString('en-GB')} rows/s`
    return {
      what: `Metadata CSV, decoded, parsed, validated, ${ROWS.toLocaleString('en-GB')} rows, against csv-parse alone, one thread`,
      figure: `${ratioToCsvParse.toFixed(2)}x`,
      target: '0.80x',
      raw: `ours ${rows(ours)}, csv-parse ${rows(csvParse)}, Papa Parse ${rows(papaParse)} (${ratioToPapaParse.toFixed(2)}x)`,
    }
  })
}

/** Two tables on two worker threads, as the pipeline does it, against csv-parse alone on the same files. */
export function metadataCsvTwoThreads(): Promise<Row> {
  return withFolder(async (folder) => {
    const store = createFolderStore(folder)
    const names = ['one.csv', 'two.csv']
    for (const name of names) await writeMetadataTable(join(folder, name), ROWS)
    const pool = createCheckPool({ threads: 2 })
    let round = 0
    const ours = () =>
      seconds(async () => {
        round++
        const replies = await Promise.all(
          names.map(async (name) => {
            const object = await store.head(name)
            if (object === undefined) throw new Error(`${name} is not there`)
            return pool.checkMetadata({
              store: { kind: 'folder', path: folder },
              document: { ...object, root: '' },
              kind: tdrMetadataCsv.id,
              profile: tdrProfile,
              today: '2026-11-24',
              findingsFile: join(folder, `findings-${name}-${round}`),
            })
          }),
        )
        for (const reply of replies)
          if (reply.kind !== 'checked' || reply.rows !== ROWS) throw new Error(reply.kind)
      })
    const rival = () =>
      seconds(async () => {
        for (const name of names) await readWithCsvParse(join(folder, name))
      })
    await ours() // threads started
    const best = { ours: Infinity, rival: Infinity }
    for (let i = 0; i < ROUNDS; i++) {
      best.ours = Math.min(best.ours, await ours())
      best.rival = Math.min(best.rival, await rival())
    }
    await pool.stop()
    return {
      what: 'Two metadata CSVs on two threads, against csv-parse alone on the same files',
      figure: `${(best.rival / best.ours).toFixed(2)}x`,
      target: '1.4x',
      raw: `ours ${(best.ours * 1000).toFixed(0)} ms, rival ${(best.rival * 1000).toFixed(0)} ms`,
    }
  })
}

export function metadataCsvMemory(rows: number): Promise<Row> {
  return withFolder(async (folder) => {
    const path = join(folder, 'metadata.csv')
    await writeMetadataTable(path, rows)
    const { peakMegabytes } = inProcess('csv.js', 'benchCsvMemory', path)
    return {
      what: `Peak memory, metadata CSV of ${rows.toLocaleString('en-GB')} rows`,
      figure: `${Math.round(peakMegabytes)} MB`,
      target: 'flat',
      raw: 'in a process of its own',
    }
  })
}

const XML_BYTES = 1_000_000_000

/** A record list of a gigabyte, read statement by statement. */
export function xmlMemory(): Promise<Row> {
  return withFolder(async (folder) => {
    const path = join(folder, 'records.xml')
    const out = createWriteStream(path)
    out.write('<?xml version="1.0"?>\n<records>\n')
    for (let bytes = 0, i = 0; bytes < XML_BYTES; i++) {
      const record = `<record><filepath>content/Series ${i % 40}/file ${i}.docx</filepath><description>Correspondence &amp; minutes of the branch about item ${i}</description><date_of_the_record>2019-03-${String(1 + (i % 28)).padStart(2, '0')}</date_of_the_record><closure_status>Open</closure_status></record>\n`
      bytes += record.length
      if (!out.write(record)) await once(out, 'drain')
    }
    out.end('</records>\n')
    await once(out, 'finish')
    const { records, peakMegabytes, seconds: took } = inProcess('metadata-rows.js', 'readXml', path)
    return {
      what: 'Peak memory, metadata XML of 1 GB',
      figure: `${Math.round(peakMegabytes)} MB`,
      target: 'flat',
      raw: `${records.toLocaleString('en-GB')} records in ${took.toFixed(0)} s`,
    }
  })
}

/** For a process of its own: reads a record list and measures itself. */
export async function readXml(path: string) {
  const slash = path.lastIndexOf('/')
  const store = createFolderStore(path.slice(0, slash))
  const object = await store.head(path.slice(slash + 1))
  if (object === undefined) throw new Error(`${path} is not there`)
  const document = await openDocument(store, { ...object, root: '' })
  let peak = 0
  let records = 0
  const started = performance.now()
  const problems: string[] = []
  for await (const _statement of tdrMetadataXml.read(document, ({ code }) => problems.push(code))) {
    if (++records % 1000 === 0) peak = Math.max(peak, process.memoryUsage.rss())
  }
  if (problems.length > 0) throw new Error(problems[0])
  return {
    records,
    peakMegabytes: peak / 1024 ** 2,
    seconds: (performance.now() - started) / 1000,
  }
}

/** A year's schedule: its intervals, its scheduled actions, and the proof of every minute. */
export async function lifecycleYear(): Promise<Row> {
  const schedule = { ...defaultSchedule, nights: 'asleep' } as const
  const capacity = { minTasks: 1, maxTasks: 4 }
  const took = await seconds(async () => {
    const holidays = holidayCalendar(shippedSnapshot, 'england-and-wales')
    const range = horizon(schedule.timeZone, [2027])
    const actions = compile(schedule, holidays, [2027], capacity)
    const proof = replay(
      actions,
      {
        resourceId: 'service/bench/work',
        awake: awakeIntervals(schedule, holidays, range),
        horizonUtc: range.toUtc,
        ...capacity,
        closure: 'hard',
      },
      range,
    )
    if (proof.wrongMinutes > 0) throw new Error(`${proof.wrongMinutes} minutes are wrong`)
    await Promise.resolve()
  })
  return {
    what: 'A year planned, compiled and proved minute by minute',
    figure: `${took.toFixed(2)} s`,
    target: 'under 2 s',
    raw: '525,600 minutes, 0 wrong',
  }
}

type Measured = {
  readonly peakMegabytes: number
  readonly records: number
  readonly seconds: number
}

function inProcess(module: string, name: string, path: string): Measured {
  const url = pathToFileURL(join(import.meta.dirname, module)).href
  const script = `import(${JSON.stringify(url)}).then((m) => m.${name}(${JSON.stringify(path)})).then((r) => console.log(JSON.stringify(r)))`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  if (run.status !== 0) throw new Error(run.stderr)
  return JSON.parse(run.stdout) as Measured
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-bench-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
