import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import {
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { createS3Store } from '../engine/adapters/s3-store.ts'
import type { Store } from '../engine/adapters/store.ts'
import { packageRoot } from '../engine/package-root.ts'
import { newestReport } from '../engine/run/decisions.ts'
import { attemptClaimKey, resultsPrefix } from '../engine/run/state-layout.ts'
import { comparable } from '../fixtures/lab.ts'
import { startS3Server, type S3Server } from '../fixtures/servers/s3-server.ts'
import { makeQueues, startSqsServer, type SqsServer } from '../fixtures/servers/sqs-server.ts'
import { seeded } from '../lifecycle/arrivals.ts'

export type FleetSize = {
  readonly seed: number
  readonly processes: number
  readonly kills: number
  readonly files: number
}

const SMALL = 100
const TRANSFERS = ['large', 'small'] as const

/**
 * Many `work` processes share one S3 server and one queue: they are killed and frozen at random,
 * messages come twice, the queue is emptied in the middle and one clock is an hour off. In the
 * end each consignment has one report, and it is the one of an undisturbed run.
 */
export async function fleetStorm(size: FleetSize): Promise<void> {
  const random = seeded(size.seed)
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-fleet-'))
  const zoneServer = await startS3Server()
  const sqs = await startSqsServer()
  try {
    zoneServer.makeBucket('dropzone')
    const zone = storeOn(zoneServer, 'dropzone')
    await land(zone, 'large', size.files, random)
    await land(zone, 'small', SMALL, random)
    await zone.close()
    const calm = await storm(
      { ...size, kills: 0, processes: 2 },
      folder,
      'calm',
      zoneServer,
      sqs,
      random,
    )
    const wild = await storm(size, folder, 'wild', zoneServer, sqs, random)
    assert.deepEqual(wild.reports, calm.reports, 'the reports are those of an undisturbed run')
    assert.equal(wild.alarms, 0, 'no result was written twice with different content')
    assert.equal(wild.results, calm.results, 'every chunk has exactly one result')
    const reread = (100 * (wild.reads - calm.reads)) / calm.reads
    console.log(
      `fleet storm: ${size.files} + ${SMALL} files, ${size.processes} processes, ${wild.kills} kills, ${wild.freezes} freezes, ${wild.purges} purges, ${wild.duplicates} messages sent again and in another order, a clock an hour off: lost 0, duplicate results 0, conflicting results 0, reports the same; ${calm.seconds.toFixed(0)} s undisturbed, ${wild.seconds.toFixed(0)} s disturbed (${((wild.seconds - calm.seconds) / Math.max(1, wild.kills)).toFixed(2)} s a kill), ${reread.toFixed(1)} % more reads of records; the small one sealed after ${wild.smallAfter ?? 'no'} chunks of the large one`,
    )
  } finally {
    await Promise.all([zoneServer.close(), sqs.close()])
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Seconds that one consignment takes with each number of processes, on this machine. */
export async function fleetSpeed(
  files: number,
  counts: readonly number[],
): Promise<readonly number[]> {
  const random = seeded(1)
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-fleet-'))
  const zoneServer = await startS3Server()
  const sqs = await startSqsServer()
  try {
    zoneServer.makeBucket('dropzone')
    const zone = storeOn(zoneServer, 'dropzone')
    await land(zone, 'large', files, random)
    await land(zone, 'small', SMALL, random)
    await zone.close()
    const taken: number[] = []
    for (const processes of counts) {
      const size = { seed: 1, processes, kills: 0, files }
      const { seconds } = await storm(size, folder, `n${processes}`, zoneServer, sqs, random)
      taken.push(seconds)
    }
    return taken
  } finally {
    await Promise.all([zoneServer.close(), sqs.close()])
    rmSync(folder, { recursive: true, force: true })
  }
}

type Course = {
  readonly reports: unknown
  readonly results: number
  readonly reads: number
  readonly alarms: number
  readonly seconds: number
  readonly kills: number
  readonly freezes: number
  readonly purges: number
  readonly duplicates: number
  readonly smallAfter: number | undefined
}

async function storm(
  size: FleetSize,
  folder: string,
  name: string,
  zoneServer: S3Server,
  sqs: SqsServer,
  random: () => number,
): Promise<Course> {
  const stateServer = await startS3Server()
  const { url, deadUrl } = await makeQueues(sqs.endpoint, name, 50)
  stateServer.makeBucket('state')
  zoneServer.resetRequests()
  const config = join(folder, 'wharfinger.yaml')
  // State and drop zone are on different servers, so that reads of records can be counted.
  writeFileSync(config, yamlFor(zoneServer, stateServer, sqs, url, deadUrl))
  const state = storeOn(stateServer, 'state', 'state/')
  const reports = storeOn(stateServer, 'state', 'reports/')
  const seen = {
    alarms: 0,
    chunksOfLarge: 0,
    smallAfter: undefined as number | undefined,
    errors: '',
  }
  const references = new Map<string, number>()
  const listen = (child: ChildProcess) => {
    if (child.stdout === null) return
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('INTEGRITY ALARM')) seen.alarms++
      if (line.includes('"msg":"chunk checked"')) seen.chunksOfLarge++
      if (line.includes('"msg":"sealed"') && line.includes(`"files":${SMALL},`))
        seen.smallAfter ??= seen.chunksOfLarge
      const delivered = /"reference":"([^"]+)".*"msg":"delivered"/.exec(line)?.[1]
      if (delivered !== undefined) references.set(delivered, 1)
    })
    child.stderr?.on('data', (text) => (seen.errors += String(text)))
  }
  const children: ChildProcess[] = []
  const start = (at: number) => {
    const child = spawn(
      process.execPath,
      [
        join(packageRoot(), 'dist', 'fixtures', 'working-task.js'),
        folder,
        String(at === 0 && size.kills > 0 ? 3_600_000 : 0),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...CREDENTIALS } },
    )
    listen(child)
    children[at] = child
  }
  const started = performance.now()
  let [kills, freezes, purges, duplicates] = [0, 0, 0, 0]
  const purger = new SQSClient({ endpoint: sqs.endpoint, region: 'us-east-1', credentials: TEST })
  try {
    for (let at = 0; at < size.processes; at++) start(at)
    const done = async () => (await deliveredCount(reports)) === TRANSFERS.length
    const patience = performance.now() + 20 * 60_000
    while (!(await done())) {
      assert.ok(performance.now() < patience, `no end in sight: ${seen.errors.slice(-2000)}`)
      // Far enough apart that a process gets past its start: kills have to hit sealing, checking and merging.
      await delay(size.kills === 0 ? 200 : 300 + random() * 2000)
      if (kills >= size.kills) continue
      const at = Math.floor(random() * size.processes)
      const child = children[at]
      if (child === undefined) continue
      if (random() < 0.05) {
        // Frozen for longer than its messages are hidden from the others.
        child.kill('SIGSTOP')
        freezes++
        void delay(VISIBILITY_SECONDS * 1000 + 2000).then(() => child.kill('SIGCONT'))
        continue
      }
      if (random() < 0.1) duplicates += await repeatMessages(purger, url)
      if (random() < 0.03) {
        await purger.send(new PurgeQueueCommand({ QueueUrl: url }))
        purges++
      }
      if (child.exitCode === null && child.kill('SIGKILL')) kills++
      start(at)
    }
    const seconds = (performance.now() - started) / 1000
    return {
      reports: await reportsOf(state, reports),
      results: await resultCount(state),
      reads: zoneServer.requests()['GetObject'] ?? 0,
      alarms: seen.alarms,
      seconds,
      kills,
      freezes,
      purges,
      duplicates,
      smallAfter: seen.smallAfter,
    }
  } finally {
    purger.destroy()
    for (const child of children) child.kill('SIGKILL')
    await Promise.all([state.close(), reports.close()])
    await stateServer.close()
  }
}

/** What waits is sent once more, last first; returns how many messages there are twice now. */
async function repeatMessages(client: SQSClient, url: string): Promise<number> {
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
  )
  for (const { Body } of Messages.toReversed())
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: Body ?? '' }))
  return Messages.length
}

const VISIBILITY_SECONDS = 6
const TEST = { accessKeyId: 'test', secretAccessKey: 'test' }
const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
}

function yamlFor(
  zone: S3Server,
  state: S3Server,
  sqs: SqsServer,
  url: string,
  deadUrl: string,
): string {
  return `
s3: { endpoint: "${state.endpoint}", forcePathStyle: true, region: us-east-1 }
state: s3://state/state/
reports: s3://state/reports/
threads: 1
chunk: { maxFiles: 250 }
dropZones: [{ name: storm, address: "s3://dropzone/", endpoint: "${zone.endpoint}" }]
queue:
  url: "${url}"
  deadLetterUrl: "${deadUrl}"
  endpoint: "${sqs.endpoint}"
  region: us-east-1
  visibilitySeconds: ${VISIBILITY_SECONDS}
  waitSeconds: 1
  retrySeconds: 1
  signOfLifeSeconds: 2
  requeueMinutes: 0
  readmitMinutes: 0
`
}

function storeOn(server: S3Server, bucket: string, prefix = ''): Store {
  Object.assign(process.env, CREDENTIALS)
  return createS3Store({
    kind: 's3',
    bucket,
    prefix,
    endpoint: server.endpoint,
    forcePathStyle: true,
    region: 'us-east-1',
  })
}

async function land(store: Store, name: string, files: number, random: () => number) {
  const root = `office/networkdrive/${name}/`
  const manifest: string[] = []
  const writes: Promise<unknown>[] = []
  for (let i = 0; i < files; i++) {
    const path = `folder ${i % 50}/file ${i}.txt`
    const content = Buffer.alloc(1 + Math.floor(random() * 2000), `record ${i}\n`)
    manifest.push(`${createHash('sha256').update(content).digest('hex')}  ./${path}\n`)
    writes.push(store.createIfAbsent(`${root}records/${path}`, content))
    if (writes.length === 50) await Promise.all(writes.splice(0))
  }
  await Promise.all(writes)
  await store.createIfAbsent(`${root}metadata/manifest.sha256`, manifest.join(''))
  await store.createIfAbsent(`${root}complete.json`, JSON.stringify({ expectedNumberFiles: files }))
}

async function keysOf(store: Store, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list({ prefix })) keys.push(key)
  return keys
}

async function deliveredCount(reports: Store): Promise<number> {
  return (await keysOf(reports, '')).filter((key) => key.endsWith('delivered.json')).length
}

async function referencesOf(state: Store): Promise<string[]> {
  const suffix = attemptClaimKey('', 1).slice('consignments/'.length)
  return (await keysOf(state, 'consignments/'))
    .filter((key) => key.endsWith(suffix))
    .map((key) => key.split('/')[1] ?? '')
}

async function resultCount(state: Store): Promise<number> {
  const keys = await keysOf(state, 'consignments/')
  const marker = resultsPrefix(
    {
      reference: '',
      number: 1,
      transfer: { zone: '', integrator: '', source: '', transferId: '' },
    },
    1,
  ).slice('consignments/'.length)
  return keys.filter((key) => key.includes(marker)).length
}

/** By transfer, because which consignment gets which reference is chance. */
async function reportsOf(state: Store, reports: Store): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {}
  for (const reference of await referencesOf(state)) {
    const { attempt, delivered } = await newestReport(state, reports, reference)
    const read = async (name: string) => {
      const key = delivered.files.find((one) => one.name === name)?.key ?? ''
      return Buffer.from(await reports.readWhole(key, { maxBytes: 1e9 })).toString()
    }
    all[attempt.transfer.transferId] = {
      report: comparable(await read('report.json')),
      findings: createHash('sha256')
        .update(await read('findings.csv'))
        .digest('hex'),
      files: createHash('sha256')
        .update(await read('files.csv'))
        .digest('hex'),
    }
  }
  return all
}
