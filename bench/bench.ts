import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../engine/package-root.ts'
import { apiUnderLoad } from './api-load.ts'
import { fleetSpeed } from './fleet-storm.ts'
import {
  lifecycleYear,
  metadataCsv,
  metadataCsvMemory,
  metadataCsvTwoThreads,
  xmlMemory,
} from './metadata-rows.ts'
import {
  largeFiles,
  largeWholeRun,
  memory,
  s3WholeRun,
  smallFiles,
  startOfCommandLine,
  sweepOfFinished,
  type Row,
} from './rows.ts'

/**
 * `npm run bench [row ...]`: ratios against a named rival, side by side in one run. Each result
 * replaces the row's last one in bench/results.json and bench/results.md, with machine and date.
 * What the figures mean stands in docs/explanations/speed.md.
 */
const rows: Readonly<Record<string, () => Promise<Row>>> = {
  'large files': largeFiles,
  'large files, whole run': largeWholeRun,
  'small files': smallFiles,
  s3: s3WholeRun,
  processes: severalProcesses,
  sweep: sweepOfFinished,
  api: apiUnderLoad,
  start: startOfCommandLine,
  'metadata csv': metadataCsv,
  'metadata csv, two threads': metadataCsvTwoThreads,
  'metadata csv memory at 100,000': () => metadataCsvMemory(100_000),
  'metadata csv memory at 1,000,000': () => metadataCsvMemory(1_000_000),
  'xml of 1 GB': xmlMemory,
  'lifecycle year': lifecycleYear,
  'memory at 100,000': () => memory(100_000),
  'memory at 1,000,000': () => memory(1_000_000),
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(rows, name))
if (unknown.length > 0) {
  console.error(
    `No row is called ${unknown.join(' or ')}. There are: ${Object.keys(rows).join('; ')}.`,
  )
  process.exit(2)
}
const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}`
const date = new Date().toISOString().slice(0, 10)
const results = readResults()
for (const [name, measure] of Object.entries(rows)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const row = await measure()
  results.set(name, { name, date, machine, ...row })
  writeResults(Object.keys(rows).flatMap((each) => results.get(each) ?? []))
  console.log(`${row.what}: ${row.figure} (target ${row.target}) [${row.raw}]`)
}

/** What more processes bring, on a machine where the servers share the processors with them. */
async function severalProcesses(): Promise<Row> {
  const counts = [1, 2, 4]
  const seconds = await fleetSpeed(10_000, counts)
  return {
    what: '10,000 small files over a local S3 server and a queue, 1, 2 and 4 processes',
    figure: seconds.map((taken) => `${taken.toFixed(1)} s`).join(', '),
    target: 'none: the local server is the limit',
    raw: counts
      .map((count, i) => `${count}: ${Math.round(10_000 / (seconds[i] ?? Infinity))} files/s`)
      .join(', '),
  }
}

type Result = Row & { readonly name: string; readonly date: string; readonly machine: string }

/** The last result of each row that was ever measured, by the row's name. */
function readResults(): Map<string, Result> {
  const file = resultsFile('json')
  const last = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Result[]) : []
  return new Map(last.map((result) => [result.name, result]))
}

function writeResults(last: readonly Result[]): void {
  writeFileSync(resultsFile('json'), `${JSON.stringify(last, undefined, 2)}\n`)
  const table = last.map(
    ({ what, figure, target, raw, date: on }) =>
      `| ${what} | ${figure} | ${target} | ${raw} | ${on} |`,
  )
  const machines = [...new Set(last.map((result) => result.machine))].join('; ')
  writeFileSync(
    resultsFile('md'),
    `# Last results\n\nMachine: ${machines}. \`npm run bench [row ...]\` measures anew; ratios above 1 mean faster than the rival. Where a target is missed, docs/explanations/speed.md says why.\n\n| measure | result | target | raw (medians) | date |\n|---|---|---|---|---|\n${table.join('\n')}\n`,
  )
}

function resultsFile(kind: 'json' | 'md'): string {
  return join(packageRoot(), 'bench', `results.${kind}`)
}
