import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import autocannon from 'autocannon'
import { packageRoot } from '../engine/package-root.ts'
import type { Row } from './rows.ts'

const MAIN = join(packageRoot(), 'dist', 'engine', 'main.js')
const CONNECTIONS = 100
const SECONDS = 30
const SETTLE_SECONDS = 10
const SAMPLE_MS = 1000
const CONSIGNMENTS = 100_000
const TRANSFERS = 20
const SPARSE_FILES = 24
const SPARSE_BYTES = 2 * 1024 ** 3

/**
 * `serve` as its own process, with 100,000 consignments to list, asked by 100 connections for
 * status and lists while `sweep`, a third process on the same cores, checks what is in progress.
 */
export async function apiUnderLoad(): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-bench-'))
  const children: ChildProcess[] = []
  const busy = loadavg()[0] ?? Number.NaN // else a busy machine is taken for a slow service
  try {
    writeFileSync(
      join(folder, 'wharfinger.yaml'),
      `state: ./state\nreports: ./reports\nscratch: ${folder}\nthreads: 1\ndropZones: [{ name: bench, address: ./dropzone }]\nservice: { port: 0, requestsPerMinute: 100000000 }\n`,
    )
    makeConsignments(folder)
    makeTransfers(folder)
    const sweep = run(folder, ['sweep', '--quiet'], 'ignore')
    children.push(sweep)
    const serve = run(folder, ['serve'], 'pipe')
    children.push(serve)
    const { url, token } = await listening(serve)
    const headers = { authorization: `Bearer ${token}` }
    await ready(url)
    const paths = [
      ...Array.from({ length: TRANSFERS }, (_, i) => `/transfers/networkdrive/t${i}`),
      '/consignments?limit=100',
      '/consignments?limit=100&verdict=READY&transferringBody=B3',
      '/consignments?limit=100&integrator=i7',
      '/transfers?limit=100',
    ]
    const fire = (seconds: number) =>
      autocannon({
        url,
        connections: CONNECTIONS,
        duration: seconds,
        headers,
        requests: paths.map((path) => ({ method: 'GET', path })),
      })
    await fire(SETTLE_SECONDS)
    const memory: number[] = []
    const firing = new AbortController()
    const sampling = (async () => {
      while (!firing.signal.aborted) {
        memory.push(await residentMb(url, headers))
        await delay(SAMPLE_MS)
      }
    })()
    const result = await fire(SECONDS)
    firing.abort()
    await sampling
    const half = Math.floor(memory.length / 2)
    const before = Math.max(...memory.slice(0, half))
    const after = Math.max(...memory.slice(half))
    const working = sweep.exitCode === null
    const bad = result.errors + result.timeouts + result.non2xx
    return {
      what: `API: status and lists, ${CONNECTIONS} connections for ${SECONDS} s, ${CONSIGNMENTS.toLocaleString('en-GB')} consignments`,
      figure: `p99 ${result.latency.p99} ms, ${bad} errors, memory ${(after / before).toFixed(2)}x`,
      target: 'p99 under 100 ms, no error, memory flat (second half against first)',
      raw: `${Math.round(result.requests.average)} requests/s, p50 ${result.latency.p50} ms, ${Math.round(after)} MB; ${working ? 'checking went on throughout' : 'checking ended early'}; load ${busy.toFixed(1)} before`,
    }
  } finally {
    for (const child of children) await killed(child)
    rmSync(folder, { recursive: true, force: true })
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function run(folder: string, args: readonly string[], stdout: 'pipe' | 'ignore'): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    stdio: ['ignore', stdout, 'inherit'],
  })
}

async function listening(serve: ChildProcess): Promise<{ url: string; token: string }> {
  if (serve.stdout === null) throw new Error('bug: no output to read')
  let url = ''
  for await (const line of createInterface(serve.stdout)) {
    url = /^Serving at (\S+)/.exec(line)?.[1] ?? url
    const token = /^Token.*: (\S+)$/.exec(line)?.[1]
    if (token !== undefined) return { url, token }
  }
  throw new Error('serve ended before it listened')
}

async function ready(url: string): Promise<void> {
  while ((await fetch(`${url}/readyz`)).status !== 200) await delay(100)
}

async function residentMb(url: string, headers: Record<string, string>): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers })).text()
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1] ?? Number.NaN) / 1e6
}

function makeConsignments(folder: string): void {
  const segments = join(folder, 'state', 'index', 'segments')
  mkdirSync(segments, { recursive: true })
  const verdicts = ['READY', 'NEEDS SENDER', 'NEEDS ARCHIVIST']
  const lines = Array.from({ length: CONSIGNMENTS }, (_, i) =>
    JSON.stringify({
      key: `index/summaries/WHF-2025-${i}/00001-00001.json`,
      summary: {
        reference: `WHF-2025-${i}`,
        attempt: 1,
        reportVersion: 1,
        verdict: verdicts[i % 3],
        status: i % 3 === 0 ? 'Completed' : 'CompletedWithIssues',
        sentence: 'Every check that could be made was passed.',
        files: [],
        counts: { files: 1000, bytes: 10_000_000, findings: [], unchecked: 0 },
        transfer: {
          zone: 'bench',
          integrator: `i${i % 50}`,
          source: 'sharepoint',
          transferId: `t${i}`,
          transferringBody: `B${i % 7}`,
          series: `S${i % 11}`,
        },
        deliveredAt: new Date(Date.UTC(2025, 0, 1) + i * 60_000).toISOString(),
      },
    }),
  )
  for (let first = 0; first < CONSIGNMENTS; first += 5000)
    writeFileSync(
      join(segments, `${first}.jsonl`),
      `${lines.slice(first, first + 5000).join('\n')}\n`,
    )
}

/** The first one keeps the sweep busy: sparse, so that it costs time to read and no disk. */
function makeTransfers(folder: string): void {
  for (let i = 0; i < TRANSFERS; i++) {
    const records = join(folder, 'dropzone', 'laptop', 'networkdrive', `t${i}`, 'records')
    mkdirSync(records, { recursive: true })
    for (let file = 0; file < (i === 0 ? SPARSE_FILES : 1); file++) {
      const handle = openSync(join(records, `${file}.bin`), 'w')
      ftruncateSync(handle, i === 0 ? SPARSE_BYTES : 1000)
      closeSync(handle)
    }
    writeFileSync(join(records, '..', 'complete.json'), '{}')
  }
}
