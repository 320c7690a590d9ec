import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { comparable } from '../../fixtures/lab.ts'
import type { KilledRun } from '../../fixtures/killed-run.ts'
import type { Areas } from '../../fixtures/recorded-run.ts'
import { openStore } from '../adapters/open-store.ts'
import type { StoreAddress } from '../pool/messages.ts'

process.env['AWS_ACCESS_KEY_ID'] = 'test'
process.env['AWS_SECRET_ACCESS_KEY'] = 'test'

/**
 * Every durable write of one run, in order. A new write without a row here fails the test: add the
 * row, and the matrix kills the process after it.
 */
const WRITES = [
  'create state references/WHF-{year}/{n}.json',
  'create state consignments/{ref}/attempts/{n}.json',
  'create state transfers/lab/office/networkdrive/t1/taken.json',
  'create state consignments/{ref}/{n}/listing/{n}.jsonl',
  'create state consignments/{ref}/{n}/notes/{n}.jsonl',
  'create state consignments/{ref}/{n}/inventory/{n}.jsonl',
  'create state consignments/{ref}/{n}/missing/{n}.jsonl',
  'create state consignments/{ref}/{n}/intake.json',
  'create state transfers/lab/office/networkdrive/t1/sealed.json',
  'write reports office/networkdrive/t1/status.json',
  'create state consignments/{ref}/{n}/plan.json',
  'create state consignments/{ref}/{n}/tries/{n}/{n}/{n}.json',
  'create state consignments/{ref}/{n}/results/{n}/{n}.jsonl',
  'create state consignments/{ref}/{n}/events/run-{n}-{uuid}.json',
  'create state consignments/{ref}/{n}/metadata/{n}.jsonl',
  'create state consignments/{ref}/{n}/metadata.json',
  'create state consignments/{ref}/{n}/relist/{n}.jsonl',
  'write reports office/{ref}/attempt-{n}/version-{n}/{digest}/findings.csv',
  'write reports office/{ref}/attempt-{n}/version-{n}/{digest}/files.csv',
  'write reports office/{ref}/attempt-{n}/version-{n}/{digest}/draft-metadata-errors.json',
  'write reports office/{ref}/attempt-{n}/version-{n}/{digest}/report.json',
  'write reports office/{ref}/attempt-{n}/version-{n}/{digest}/report.html',
  'create reports office/{ref}/attempt-{n}/version-{n}/delivered.json',
  'create state index/summaries/{ref}/{n}-{n}.json',
  'create state transfers/lab/office/networkdrive/t1/delivered-{n}.json',
]

function rowOf(line: string): string {
  return line
    .replace(/WHF-\d{4}-[A-Z0-9]+/g, '{ref}')
    .replace(/references\/WHF-\d{4}/, 'references/WHF-{year}')
    .replace(/\/[0-9a-f]{16}\//, '/{digest}/')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, '{uuid}')
    .replace(/networkdrive\/t1/, 'networkdrive/T')
    .replace(/\d+/g, '{n}')
    .replace('networkdrive/T', 'networkdrive/t1')
}

export const transfer = {
  zone: 'lab',
  integrator: 'office',
  source: 'networkdrive',
  transferId: 't1',
}
export const records: Record<string, string> = {
  'metadata/manifest.txt': `${'0'.repeat(64)}  a.txt\n${'1'.repeat(64)}  gone.txt\nno line\n`,
  'metadata/table.csv': 'filepath,filename,closure status\r\na.txt,a.txt,Shut\r\n',
  'records/a.txt': 'a',
  'records/b.txt': 'b',
  'records/c.txt': 'c',
  'complete.json': '{}',
}

/** Kill after every `every`-th write in turn, resume, and compare. */
export async function crashMatrix(
  name: string,
  land: () => Promise<StoreAddress>,
  fresh: () => Areas,
  folder: string,
  every = 1,
): Promise<void> {
  const zone = await land()
  const start = (place: Areas, killAfter: number) =>
    runChild({ ...place, zone, transfer, folder, chunkFiles: 2, killAfter })
  const undisturbed = fresh()
  const first = await start(undisturbed, 0)
  assert.equal(first.signal, null)
  const rows = new Set(first.lines.map(rowOf))
  const seen = new Set(rows)
  for (const row of rows) assert.ok(WRITES.includes(row), `a durable write without a row: ${row}`)
  const expected = await deliveredReport(undisturbed.reports)
  for (let killAfter = 1; killAfter <= first.lines.length; killAfter += every) {
    const place = fresh()
    const killed = await start(place, killAfter)
    assert.equal(killed.signal, 'SIGKILL', `${name}: write ${killAfter} kills`)
    const resumed = await start(place, 0)
    for (const line of resumed.lines) seen.add(rowOf(line))
    assert.equal(
      resumed.end,
      'end delivered',
      `${name}: resumed after ${first.lines[killAfter - 1] ?? ''}`,
    )
    assert.deepEqual(
      await deliveredReport(place.reports),
      expected,
      `${name}: killed after ${first.lines[killAfter - 1] ?? ''}`,
    )
  }
  for (const row of seen) assert.ok(WRITES.includes(row), `a durable write without a row: ${row}`)
  // Some writes are made by the run after a kill alone, and only after kills at some places.
  if (every === 1)
    for (const row of WRITES) assert.ok(seen.has(row), `${name}: a row without a write: ${row}`)
  console.log(
    `${name}: killed after ${every === 1 ? 'each' : `one in ${every}`} of ${first.lines.length} durable writes of ${rows.size} kinds, resumed, same report every time`,
  )
}

/** The whole delivered report, as far as two honest runs have to agree. */
export async function deliveredReport(reports: StoreAddress): Promise<unknown> {
  const store = openStore(reports)
  try {
    const texts: Record<string, string> = {}
    const delivered: string[] = []
    for await (const { key } of store.list({ prefix: 'office/' })) {
      const text = Buffer.from(await store.readWhole(key, { maxBytes: 1e7 })).toString()
      if (key.endsWith('delivered.json')) delivered.push(text)
      else texts[key] = text
    }
    assert.equal(delivered.length, 1, 'exactly one report is delivered')
    const { files } = JSON.parse(delivered[0] ?? '') as { files: { name: string; key: string }[] }
    const read = (name: string) => texts[files.find((file) => file.name === name)?.key ?? ''] ?? ''
    return {
      json: comparable(read('report.json')),
      findings: read('findings.csv'),
      files: read('files.csv'),
    }
  } finally {
    await store.close()
  }
}

function runChild(
  run: KilledRun,
): Promise<{ lines: string[]; end: string | undefined; signal: string | null }> {
  const typescript = import.meta.url.endsWith('.ts')
  const script = fileURLToPath(
    new URL(`../../fixtures/killed-run.${typescript ? 'ts' : 'js'}`, import.meta.url),
  )
  const child = spawn(
    process.execPath,
    [...(typescript ? ['--import', 'tsx'] : []), script, JSON.stringify(run)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  return new Promise((resolve) => {
    child.on('close', (_code, signal) => {
      const lines = output.split('\n').filter((line) => line !== '')
      resolve({
        lines: lines.filter((line) => !line.startsWith('end ')),
        end: lines.find((line) => line.startsWith('end ')),
        signal,
      })
    })
  })
}
