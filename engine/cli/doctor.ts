import { mkdtempSync, rmdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { storeSelfTest } from '../adapters/open-store.ts'
import type { Store } from '../adapters/store.ts'
import { zoneWithDefaults, type DropZone, type EngineConfig } from '../config.ts'
import { createCheckPool } from '../pool/pool.ts'
import type { CommonOptions } from './command.ts'
import { exitCodes } from './exit-code.ts'
import { loadConfig, openRetrying, type Surroundings } from './surroundings.ts'
import { renderTable } from './table.ts'

type Diagnosis = { readonly what: string; readonly ok: boolean; readonly says: string }

const CLOCK_MAY_DIFFER_MS = 30_000 // AWS refuses requests signed 15 minutes off; schedules ring by the minute
const SCRATCH_WANTED_BYTES = 4e9 // the joins of ten million files take 3 GB: docs/explanations/scale.md

/** `wharfinger doctor`: each thing the engine relies on, tried for real. */
export async function doctor(surroundings: Surroundings, options: CommonOptions): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  const diagnoses = [
    ...(await storeDiagnoses('state', config, surroundings.now)),
    ...(await storeDiagnoses('reports', config, surroundings.now)),
  ]
  for (const zone of config.dropZones) diagnoses.push(await zoneDiagnosis(zone))
  diagnoses.push(await threadsDiagnosis(config), await scratchDiagnosis(config.scratch))
  for (const name of ['chunks', 'deadLetters', 'doorbell'] as const)
    diagnoses.push(...(await queueDiagnosis(config, name)))
  const healthy = diagnoses.every(({ ok }) => ok)
  surroundings.out.write(
    options.json === true
      ? `${JSON.stringify({ healthy, diagnoses }, undefined, 2)}\n`
      : renderTable(diagnoses.map(({ what, ok, says }) => [ok ? 'ok' : 'NOT OK', what, says])) +
          (config.dropZones.length === 0
            ? 'No drop zone is configured: add `dropZones` to wharfinger.yaml, or use `wharfinger run <folder>`.\n'
            : ''),
  )
  return healthy ? exitCodes.sound : exitCodes.usage
}

async function storeDiagnoses(
  what: 'state' | 'reports',
  config: EngineConfig,
  now: () => Date,
): Promise<readonly Diagnosis[]> {
  const store = openRetrying(config[what])
  const diagnoses = [
    await tryOut(`${what}: one winner for each key`, async () => {
      await storeSelfTest(store)
      return `${store.address} refuses to overwrite`
    }),
    await tryOut(`${what}: clock`, async () => clockSays(store, now)),
  ]
  await store.close()
  return diagnoses
}

async function clockSays(store: Store, now: () => Date): Promise<string> {
  const { clock } = await store.inspect()
  const ours = now()
  if (clock === undefined) return `${ours.toISOString()}, this machine's own`
  const aheadMs = ours.getTime() - clock.getTime()
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  if (Math.abs(aheadMs) > CLOCK_MAY_DIFFER_MS)
    throw new Error(
      `ours is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the store's: set this machine's clock`,
    )
  return `${ours.toISOString()}, ${seconds} s from the store's`
}

function zoneDiagnosis(zone: DropZone): Promise<Diagnosis> {
  const store = openRetrying(zone.store)
  return tryOut(`drop zone ${zone.name}`, async () => {
    let integrators = 0
    for await (const { kind } of store.listLevel('')) if (kind === 'folder') integrators++
    const { keepsVersions } = await store.inspect()
    const versions =
      zone.store.kind === 'folder'
        ? ''
        : keepsVersions === undefined
          ? '; may not ask whether versions are kept (s3:GetBucketVersioning)'
          : keepsVersions
            ? '; versions are kept'
            : '; versions are not kept: what a sender overwrites is gone. Turn on bucket versioning'
    return `${store.address}: ${integrators} ${integrators === 1 ? 'integrator' : 'integrators'}${versions}`
  }).finally(() => store.close())
}

/** A chunk without files goes to every thread and back. */
function threadsDiagnosis({ threads, state, read }: EngineConfig): Promise<Diagnosis> {
  return tryOut('worker threads', async () => {
    const pool = createCheckPool({ threads })
    try {
      const replies = await Promise.all(
        Array.from({ length: threads }, () =>
          pool.check({
            store: state,
            transferPrefix: '',
            entries: [],
            sealedOn: '1970-01-01',
            jobIds: [],
            settings: zoneWithDefaults('doctor', state).settings,
            checkpoints: { store: state, prefix: '' },
            limits: read,
          }),
        ),
      )
      const failed = replies.find((reply) => reply.kind !== 'checked')
      if (failed !== undefined)
        throw new Error('message' in failed ? failed.message : `a thread ${failed.kind}`)
      return `${threads} of ${threads} answer`
    } finally {
      await pool.stop()
    }
  })
}

function scratchDiagnosis(folder: string): Promise<Diagnosis> {
  return tryOut('scratch disk', async () => {
    rmdirSync(mkdtempSync(join(folder, 'wharfinger-doctor-')))
    const { bavail, bsize } = statfsSync(folder)
    const free = bavail * bsize
    const gigabytes = `${(free / 1e9).toFixed(1)} GB free in ${folder}`
    if (free < SCRATCH_WANTED_BYTES)
      throw new Error(
        `${gigabytes}; a consignment of ten million files needs 3 GB. Set WHARFINGER_SCRATCH`,
      )
    return Promise.resolve(gigabytes)
  })
}

async function queueDiagnosis(
  config: EngineConfig,
  name: 'chunks' | 'deadLetters' | 'doorbell',
): Promise<readonly Diagnosis[]> {
  const address = config.queue[name]
  if (address === undefined) return []
  const { createSqsQueue } = await import('../adapters/sqs-queue.ts')
  const queue = createSqsQueue(address, config.queue.timing)
  const diagnosis = await tryOut(`queue ${name}`, async () => {
    const { waiting, inHand } = await queue.depth()
    return `${queue.address}: ${waiting} waiting, ${inHand} in hand`
  })
  await queue.close()
  return [diagnosis]
}

async function tryOut(what: string, attempt: () => Promise<string>): Promise<Diagnosis> {
  try {
    return { what, ok: true, says: await attempt() }
  } catch (error) {
    // A diagnosis is what this command is for: whatever goes wrong becomes a line of it.
    return { what, ok: false, says: error instanceof Error ? error.message : String(error) }
  }
}
