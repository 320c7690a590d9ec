import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../engine/package-root.ts'
import { apiUnderLoad } from './api-load.ts'
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
 * `npm run bench [row ...]`: ratios against a named rival, side by side in one run. The results
 * go to bench/results.json and bench/results.md with machine and date.
 */
const rows: Readonly<Record<string, () => Promise<Row>>> = {
  'large files': largeFiles,
  'large files, whole run': largeWholeRun,
  'small files': smallFiles,
  s3: s3WholeRun,
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
const done: Row[] = []
for (const [name, measure] of Object.entries(rows)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const row = await measure()
  done.push(row)
  console.log(`${row.what}: ${row.figure} (target ${row.target}) [${row.raw}]`)
}

if (wanted.length === 0) {
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}`
  const date = new Date().toISOString().slice(0, 10)
  writeFileSync(
    join(packageRoot(), 'bench', 'results.json'),
    `${JSON.stringify({ date, machine, rows: done }, undefined, 2)}\n`,
  )
  const table = done.map(
    ({ what, figure, target, raw }) => `| ${what} | ${figure} | ${target} | ${raw} |`,
  )
  writeFileSync(
    join(packageRoot(), 'bench', 'results.md'),
    `# Last results\n\n${date}, ${machine}. Run \`npm run bench\` to measure anew; ratios above 1 mean faster than the rival.\n\n| measure | result | target | raw (medians) |\n|---|---|---|---|\n${table.join('\n')}\n`,
  )
}
