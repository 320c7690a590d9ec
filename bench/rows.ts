import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startS3Server } from '../fixtures/servers/s3-server.ts'
import { packageRoot } from '../engine/package-root.ts'
import type { InventoryEntry } from '../engine/model/inventory.ts'
import { seeded } from '../lifecycle/arrivals.ts'

export type Row = {
  readonly what: string
  readonly figure: string
  readonly target: string
  readonly raw: string
}

process.env['AWS_ACCESS_KEY_ID'] = 'bench'
process.env['AWS_SECRET_ACCESS_KEY'] = 'bench'

const ROUNDS = 5
const MAIN = join(packageRoot(), 'dist', 'engine', 'main.js')

/** Large files, checked by the worker threads alone, against openssl on the same files. */
export async function largeFiles(): Promise<Row> {
  return withFolder(async (folder) => {
    const records = makeLargeConsignment(folder)
    const { createCheckPool } = await import('../engine/pool/pool.ts')
    const { createFolderStore } = await import('../engine/adapters/folder-store.ts')
    const { jobs } = await import('../jobs/index.ts')
    const { zoneWithDefaults } = await import('../engine/config.ts')
    const pool = createCheckPool({ threads: 2 })
    const zone = { kind: 'folder', path: join(folder, 'dropzone') } as const
    const store = createFolderStore(zone.path)
    const entries: InventoryEntry[] = []
    const prefix = 'office/drive/t1/'
    for await (const { key, sizeBytes, etag } of store.list({ prefix: `${prefix}records/` })) {
      entries.push({ key: key.slice(prefix.length), path: key, sizeBytes, etag, stated: [] })
    }
    const check = (some: typeof entries) =>
      pool.check({
        store: zone,
        transferPrefix: prefix,
        entries: some,
        sealedOn: '2026-11-24',
        jobIds: Object.keys(jobs),
        settings: zoneWithDefaults('x', zone).settings,
        checkpoints: { store: { kind: 'folder', path: join(folder, 'checkpoints') }, prefix: '' },
        limits: { resumableAboveBytes: 2 ** 40, checkpointEveryBytes: 2 ** 30, concurrentReads: 1 },
      })
    await check(entries.slice(0, 2)) // threads started, cache warm for both sides
    const paired = await inTurn(
      () => timed(async () => void (await Promise.all(entries.map((entry) => check([entry]))))),
      () => timed(async () => openssl(records, 1)),
    )
    await pool.stop()
    return ratioRow('SHA-256 of large files, against openssl in 2 processes', '0.90x', paired)
  })
}

/** The same files, the whole run from drop zone to report, against sha256sum. */
export async function largeWholeRun(): Promise<Row> {
  return withFolder(async (folder) => {
    const records = makeLargeConsignment(folder)
    const linked = spawnSync('sh', [
      '-c',
      'ldd $(command -v sha256sum) | grep -q libcrypto && echo OpenSSL || echo "its own code"',
    ])
      .stdout.toString()
      .trim()
    const paired = await inTurn(
      () => wholeRun(folder),
      () =>
        timed(async () => shell(`find . -type f -print0 | xargs -0 -P2 -n1 sha256sum`, records)),
    )
    return ratioRow(
      `Whole run of large files, against sha256sum (${linked}) in 2 processes`,
      '1.5x',
      paired,
    )
  })
}

/** 40,000 small files, the whole run with listing, state and report, against openssl. */
export async function smallFiles(): Promise<Row> {
  return withFolder(async (folder) => {
    const random = seeded(1)
    const root = join(folder, 'dropzone', 'office', 'drive', 't1')
    for (let i = 0; i < 40_000; i++) {
      const place = join(root, 'records', `folder ${i % 200}`)
      if (i < 200) mkdirSync(place, { recursive: true })
      writeFileSync(join(place, `file ${i}.txt`), Buffer.alloc(Math.round(random() * 40_000), i))
    }
    writeFileSync(join(root, 'complete.json'), '{}')
    const paired = await inTurn(
      () => wholeRun(folder),
      () => timed(async () => openssl(join(root, 'records'), 500)),
    )
    return ratioRow(
      '40,000 small files, whole run, against openssl in 2 processes',
      '0.40x',
      paired,
    )
  })
}

/** A whole consignment on a local S3 server, against the plainest loop with the same SDK. */
export async function s3WholeRun(): Promise<Row> {
  const server = await startS3Server()
  try {
    return await withFolder(async (folder) => {
      server.makeBucket('bench')
      const { createS3Store } = await import('../engine/adapters/s3-store.ts')
      const store = createS3Store({
        kind: 's3',
        bucket: 'bench',
        prefix: 'zone/',
        endpoint: server.endpoint,
        forcePathStyle: true,
        region: 'eu-west-2',
      })
      for (let i = 0; i < 100; i++)
        await store.createIfAbsent(`office/drive/t1/records/${i}.bin`, Buffer.alloc(5_000_000, i))
      await store.createIfAbsent('office/drive/t1/complete.json', '{}')
      await store.close()
      let run = 0
      const ours = () => {
        run++
        writeFileSync(
          join(folder, 's3.yaml'),
          `s3: { endpoint: '${server.endpoint}', forcePathStyle: true, region: eu-west-2 }\nstate: s3://bench/state-${run}/\nreports: s3://bench/reports-${run}/\ndropZones: [{ name: bench, address: 's3://bench/zone/' }]\n`,
        )
        return timed(() =>
          child(process.execPath, [MAIN, 'sweep', '--quiet', '--config', join(folder, 's3.yaml')]),
        )
      }
      const loop = join(folder, 'loop.mjs')
      const sdk = import.meta.resolve('@aws-sdk/client-s3')
      writeFileSync(
        loop,
        `import { S3Client, GetObjectCommand } from '${sdk}'
import { createHash } from 'node:crypto'
const client = new S3Client({ endpoint: '${server.endpoint}', forcePathStyle: true, region: 'eu-west-2' })
for (let i = Number(process.argv[2]); i < 100; i += 2) {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bench', Key: 'zone/office/drive/t1/records/' + i + '.bin' }))
  const hash = createHash('sha256')
  for await (const piece of Body) hash.update(piece)
  hash.digest('hex')
}
client.destroy()`,
      )
      const rival = () =>
        timed(
          async () =>
            void (await Promise.all(
              ['0', '1'].map((first) => child(process.execPath, [loop, first])),
            )),
        )
      return ratioRow(
        'S3 (local server), whole run, against two processes of GET and hash',
        '0.90x',
        await inTurn(ours, rival),
      )
    })
  } finally {
    await server.close()
  }
}

/** A sweep over 1,000 finished consignments on S3, counted at the server. */
export async function sweepOfFinished(): Promise<Row> {
  const server = await startS3Server()
  try {
    return await withFolder(async (folder) => {
      server.makeBucket('bench')
      const { createS3Store } = await import('../engine/adapters/s3-store.ts')
      const at = {
        kind: 's3',
        bucket: 'bench',
        endpoint: server.endpoint,
        forcePathStyle: true,
        region: 'eu-west-2',
      } as const
      const store = createS3Store({ ...at, prefix: 'zone/' })
      for (let i = 0; i < 1000; i++) {
        const transfer = `office/drive/t${String(i).padStart(4, '0')}/`
        await store.createIfAbsent(`${transfer}records/a.txt`, `${i}`)
        await store.createIfAbsent(`${transfer}complete.json`, '{}')
      }
      await store.close()
      writeFileSync(
        join(folder, 's3.yaml'),
        `s3: { endpoint: '${server.endpoint}', forcePathStyle: true, region: eu-west-2 }\nstate: s3://bench/state/\nreports: s3://bench/reports/\ndropZones: [{ name: bench, address: 's3://bench/zone/' }]\n`,
      )
      const sweep = () =>
        child(process.execPath, [MAIN, 'sweep', '--quiet', '--config', join(folder, 's3.yaml')])
      await sweep()
      server.resetRequests()
      await sweep()
      const requests = server.requests()
      const total = Object.values(requests).reduce((sum, count) => sum + count, 0)
      return {
        what: 'A sweep over 1,000 finished consignments',
        figure: `${total} requests, ${requests['GetObject'] ?? 0} of them reads`,
        target: 'no request for a consignment',
        raw: JSON.stringify(requests),
      }
    })
  } finally {
    await server.close()
  }
}

export async function startOfCommandLine(): Promise<Row> {
  const times = []
  for (let i = 0; i < 11; i++)
    times.push(await timed(() => child(process.execPath, [MAIN, '--help'])))
  const bare = []
  for (let i = 0; i < 11; i++) bare.push(await timed(() => child(process.execPath, ['-e', '0'])))
  return {
    what: 'Start of the command line, to --help',
    figure: `${Math.round(median(times))} ms`,
    target: 'under 250 ms',
    raw: `node alone ${Math.round(median(bare))} ms`,
  }
}

/** Peak memory of a whole run with a manifest that lists every file. */
export async function memory(files: number): Promise<Row> {
  return withFolder(async (folder) => {
    const root = join(folder, 'dropzone', 'office', 'drive', 't1')
    mkdirSync(join(root, 'metadata'), { recursive: true })
    const manifest = openSync(join(root, 'metadata', 'manifest.sha256'), 'w')
    for (let i = 0; i < files; i++) {
      const place = `folder ${Math.floor(i / 1000)}`
      if (i % 1000 === 0) mkdirSync(join(root, 'records', place), { recursive: true })
      const content = `record ${i}\n`
      writeFileSync(join(root, 'records', place, `file ${i}.txt`), content)
      writeSync(
        manifest,
        `${createHash('sha256').update(content).digest('hex')}  ./${place}/file ${i}.txt\n`,
      )
    }
    closeSync(manifest)
    writeFileSync(join(root, 'complete.json'), JSON.stringify({ expectedNumberFiles: files }))
    writeConfig(folder, 1)
    const started = performance.now()
    const run = spawnSync(
      '/usr/bin/env',
      [
        'time',
        '-f',
        'peak %M',
        process.execPath,
        MAIN,
        'sweep',
        '--quiet',
        '--config',
        join(folder, 'bench.yaml'),
      ],
      { encoding: 'utf8' },
    )
    const kilobytes = Number(/peak (\d+)/.exec(run.stderr)?.[1] ?? Number.NaN)
    if (run.status !== 0) throw new Error(run.stderr + run.stdout)
    const seconds = (performance.now() - started) / 1000
    return {
      what: `Peak memory, ${files.toLocaleString('en-GB')} files with a manifest`,
      figure: `${Math.round(kilobytes / 1024)} MB`,
      target: 'under 400 MB',
      raw: `${seconds.toFixed(1)} s, ${Math.round(files / seconds)} files/s`,
    }
  })
}

let runs = 0

/** One whole run with fresh state and reports; the process starts and ends inside the time. */
function wholeRun(folder: string): Promise<number> {
  writeConfig(folder, ++runs)
  return timed(() =>
    child(process.execPath, [MAIN, 'sweep', '--quiet', '--config', join(folder, 'bench.yaml')]),
  )
}

function writeConfig(folder: string, run: number): void {
  writeFileSync(
    join(folder, 'bench.yaml'),
    `state: ./state-${run}\nreports: ./reports-${run}\nscratch: ${folder}\nthreads: ${Math.max(2, availableParallelism())}\ndropZones: [{ name: bench, address: ./dropzone }]\n`,
  )
}

function makeLargeConsignment(folder: string): string {
  const root = join(folder, 'dropzone', 'office', 'drive', 't1')
  mkdirSync(join(root, 'records'), { recursive: true })
  const block = Buffer.alloc(16 * 1024 * 1024)
  const random = seeded(7)
  for (let i = 0; i < block.length; i += 4) block.writeUInt32LE(Math.floor(random() * 2 ** 32), i)
  for (let i = 0; i < 8; i++) {
    const file = openSync(join(root, 'records', `large ${i}.bin`), 'w')
    for (let piece = 0; piece < 16; piece++) writeSync(file, block)
    closeSync(file)
  }
  writeFileSync(join(root, 'complete.json'), '{}')
  return join(root, 'records')
}

async function openssl(folder: string, filesAProcess: number): Promise<void> {
  shell(`find . -type f -print0 | xargs -0 -P2 -n${filesAProcess} openssl dgst -sha256`, folder)
}

function shell(command: string, folder: string): void {
  const run = spawnSync('sh', ['-c', `${command} > /dev/null`], { cwd: folder })
  if (run.status !== 0) throw new Error(run.stderr.toString())
}

function child(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const one = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      },
    })
    one.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')} ended with ${code}`)),
    )
  })
}

type Paired = { readonly ours: readonly number[]; readonly rival: readonly number[] }

/** Ours and the rival in turn, after one warm-up of each, so that a drifting machine hits both. */
async function inTurn(ours: () => Promise<number>, rival: () => Promise<number>): Promise<Paired> {
  await ours()
  await rival()
  const paired = { ours: [] as number[], rival: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    paired.ours.push(await ours())
    paired.rival.push(await rival())
  }
  return paired
}

function ratioRow(what: string, target: string, { ours, rival }: Paired): Row {
  const ratios = ours.map((time, i) => (rival[i] ?? 0) / time)
  return {
    what,
    figure: `${median(ratios).toFixed(2)}x`,
    target,
    raw: `ours ${Math.round(median(ours))} ms, rival ${Math.round(median(rival))} ms`,
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-bench-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
