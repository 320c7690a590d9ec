import { tmpdir } from 'node:os'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import {
  ConfigError,
  overlaps,
  readConfig,
  zoneWithDefaults,
  type Deployment,
  type DropZone,
  type EngineConfig,
} from '../config.ts'
import { openStore, parseStoreAddress, storeSelfTest } from '../adapters/open-store.ts'
import { retrying } from '../adapters/retrying-store.ts'
import { StoreError, type Store } from '../adapters/store.ts'
import { createCheckPool } from '../pool/pool.ts'
import type { StoreAddress } from '../pool/messages.ts'
import type { Engine } from '../run/process.ts'
import { withMetadataRules } from './metadata-rules.ts'
import { Refusal } from '../run/decisions.ts'
import { existsSync } from 'node:fs'

/** What every command gets from the outside, so that tests can run one without a process. */
export type Surroundings = {
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  readonly out: { write(text: string): void; readonly isTerminal: boolean }
  readonly err: { write(text: string): void; readonly isTerminal: boolean }
  /** Aborted by SIGTERM and SIGINT. */
  readonly signal: AbortSignal
}

const CONFIG_NAMES = ['wharfinger.yaml', 'wharfinger.yml'] as const

/**
 * The configuration named by --config or WHARFINGER_CONFIG (a file, or s3://bucket/key), or
 * wharfinger.yaml here, or none at all. What the environment says of a deployment wins over it.
 */
export async function loadConfig(
  surroundings: Surroundings,
  named: string | undefined,
  processors = availableParallelism(),
): Promise<EngineConfig> {
  const { env, folder } = surroundings
  const wanted = named ?? env['WHARFINGER_CONFIG']
  const more = {
    threads: Math.max(1, Math.ceil(processors)),
    scratch: env['WHARFINGER_SCRATCH'] ?? tmpdir(),
    deployment: deploymentOf(env),
  }
  const found =
    wanted ?? CONFIG_NAMES.map((name) => join(folder, name)).find((file) => existsSync(file))
  if (found === undefined) return readConfig('', { folder, ...more })
  const remote = found.startsWith('s3://')
  const file = remote ? found : resolve(folder, found)
  let yaml: string
  try {
    yaml = remote ? await readRemote(found) : readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof StoreError && error.reason !== 'missing') throw error
    throw new ConfigError([`the configuration ${file} cannot be read`])
  }
  try {
    const config = readConfig(yaml, { folder: remote ? folder : dirname(file), ...more })
    return await withMetadataRules(config, async (name) =>
      remote
        ? readRemote(file.slice(0, file.lastIndexOf('/') + 1) + name)
        : readFileSync(resolve(dirname(file), name), 'utf8'),
    )
  } catch (error) {
    if (error instanceof ConfigError)
      throw new ConfigError(error.problems.map((problem) => `${file}: ${problem}`))
    throw error
  }
}

const CONFIG_LIMIT_BYTES = 8 * 1024 * 1024 // schemas that lie beside it included

async function readRemote(address: string): Promise<string> {
  const slash = address.lastIndexOf('/') + 1
  const store = openRetrying(parseStoreAddress(address.slice(0, slash), { folder: '/' }))
  try {
    const bytes = await store.readWhole(address.slice(slash), { maxBytes: CONFIG_LIMIT_BYTES })
    return Buffer.from(bytes).toString('utf8')
  } finally {
    await store.close()
  }
}

/** `WHARFINGER_DROP_ZONES` is `name=address,name=address`. */
function deploymentOf(env: Surroundings['env']): Deployment {
  const zones = (env['WHARFINGER_DROP_ZONES'] ?? '').split(',').filter((one) => one !== '')
  const text = <Name extends string>(name: Name, variable: string) => {
    const value = env[variable]
    return (value === undefined || value === '' ? {} : { [name]: value }) as Partial<
      Record<Name, string>
    >
  }
  return {
    ...text('state', 'WHARFINGER_STATE'),
    ...text('reports', 'WHARFINGER_REPORTS'),
    dropZones: Object.fromEntries(
      zones.map((one) => {
        const equals = one.indexOf('=')
        if (equals < 1)
          throw new ConfigError([
            `WHARFINGER_DROP_ZONES has to be name=address,name=address; \`${one}\` is not`,
          ])
        return [one.slice(0, equals).trim(), one.slice(equals + 1).trim()]
      }),
    ),
    queue: {
      ...text('url', 'WHARFINGER_QUEUE_URL'),
      ...text('deadLetterUrl', 'WHARFINGER_DEAD_LETTER_QUEUE_URL'),
      ...text('doorbellUrl', 'WHARFINGER_DOORBELL_URL'),
    },
  }
}

export function openRetrying(address: StoreAddress): Store {
  return retrying(openStore(address), { attempts: 14, baseDelayMs: 200, maxDelayMs: 20_000 })
}

/** Open the stores, try them out, start the pool; and close all of it again, whatever happens. */
export async function withEngine<T>(
  surroundings: Surroundings,
  config: EngineConfig,
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const state = openRetrying(config.state)
  const reports = openRetrying(config.reports)
  await storeSelfTest(state)
  if (reports.address !== state.address) await storeSelfTest(reports)
  const pool = createCheckPool({ threads: config.threads })
  const stop = () => void pool.stop()
  surroundings.signal.addEventListener('abort', stop)
  try {
    return await use({
      config,
      state,
      reports,
      pool,
      now: surroundings.now,
      signal: surroundings.signal,
    })
  } finally {
    surroundings.signal.removeEventListener('abort', stop)
    await pool.stop()
    await Promise.all([state.close(), reports.close()])
  }
}

/** Stores only, for commands that read and record but check nothing. */
export async function withStores<T>(
  config: EngineConfig,
  use: (stores: { state: Store; reports: Store }) => Promise<T>,
): Promise<T> {
  const state = openRetrying(config.state)
  const reports = openRetrying(config.reports)
  try {
    return await use({ state, reports })
  } finally {
    await Promise.all([state.close(), reports.close()])
  }
}

/** A drop zone given on the command line: one of the configuration's, by name or address, or an ad-hoc one. */
export function zoneFor(config: EngineConfig, text: string, folder: string): DropZone {
  const named = config.dropZones.find(({ name }) => name === text)
  if (named !== undefined) return named
  const example = config.dropZones[0]?.store
  const s3 =
    example?.kind === 's3' ? example : config.state.kind === 's3' ? config.state : undefined
  const address = parseStoreAddress(text, {
    folder,
    ...(s3?.endpoint === undefined ? {} : { endpoint: s3.endpoint }),
    ...(s3?.region === undefined ? {} : { region: s3.region }),
    ...(s3?.forcePathStyle === undefined ? {} : { forcePathStyle: s3.forcePathStyle }),
    ...(s3?.requestChecksums === undefined ? {} : { requestChecksums: s3.requestChecksums }),
  })
  const configured = config.dropZones.find(
    ({ store }) => JSON.stringify(store) === JSON.stringify(address),
  )
  if (configured !== undefined) return configured
  const zone = zoneWithDefaults('default', address)
  const problems = overlaps(zone, config)
  if (problems.length > 0) throw new ConfigError(problems)
  return zone
}

/** The zone that an attempt's transfer came from, by its name in the state. */
export function zoneNamed(config: EngineConfig, name: string): DropZone {
  const zone = config.dropZones.find((one) => one.name === name)
  if (zone === undefined)
    throw new Refusal(`the drop zone \`${name}\` is not in the configuration; name it with --zone`)
  return zone
}
