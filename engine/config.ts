import { createHash } from 'node:crypto'
import { LineCounter, parseDocument, isMap, type YAMLMap } from 'yaml'
import { FieldReader } from './config-fields.ts'
import { readQueue, type QueueDeployment, type QueueSettings } from './queue-config.ts'
import { readSchedules, type Schedule } from './schedule/schedule-config.ts'
import type { ExcludedName, JobSettings } from './model/check.ts'
import { checks, type CheckId } from './model/code-facts.ts'
import type { Profile } from './metadata/profile.ts'
import type { FrozenXmlSchema, StoreAddress, ReadLimits } from './pool/messages.ts'
import type { ChunkLimits } from './flow/chunk.ts'
import { readLifecycle, type LifecycleSettings } from '../lifecycle/lifecycle-config.ts'
import { parseStoreAddress } from './adapters/open-store.ts'
import { readServiceSettings, type ServiceSettings } from './service-config.ts'

/** Every default in one place, each with its reason. */
const DEFAULTS = {
  state: './wharfinger-state',
  reports: './wharfinger-reports',
  referencePrefix: 'WHF', // never TDR's own, so that the two series cannot collide
  chunkMaxFiles: 2000, // one result object each: 0.05 PUTs per 100 files
  chunkMaxBytes: 4 * 1024 ** 3,
  chunkMaxSeconds: 60, // what a kill may cost
  maxFileBytes: 5 * 1000 ** 4, // 5 TB: what one S3 object held until 2025
  resumableAboveBytes: 16 * 1024 ** 3, // below this a re-read is cheaper than a slower hash
  checkpointEveryBytes: 1024 ** 3, // about 4 s of hash-wasm
  retryUncheckedHours: 24,
  malwareWaitMinutes: 60,
} as const

/** Names TDR leaves out, with its case rules (da-metadata-schema, puids/excluded-filenames.json). */
const EXCLUDED_NAMES: readonly ExcludedName[] = [
  {
    pattern: 'thumbs.db',
    type: 'exact',
    caseInsensitive: true,
    description: 'Windows thumbnail cache',
  },
  {
    pattern: 'desktop.ini',
    type: 'exact',
    caseInsensitive: false,
    description: 'Windows folder settings',
  },
  {
    pattern: '.DS_Store',
    type: 'exact',
    caseInsensitive: false,
    description: 'macOS folder settings',
  },
]

export type DropZone = {
  readonly name: string
  readonly store: StoreAddress
  /** 'marker': complete.json alone; else also after so many quiet minutes. */
  readonly quietMinutes: number | null
  readonly transferringBody?: string
  readonly series?: string
  readonly contact?: string
  readonly settings: JobSettings
  /** Checks whose absence lowers the verdict. */
  readonly required: readonly CheckId[]
  /** Documents beside the configuration that decide about metadata, as it names them. */
  readonly files: { readonly profile?: string; readonly xmlSchema?: string }
  /** Read from `files` by whoever loads the configuration. */
  readonly metadata?: MetadataRules
}

/** What metadata has to be; frozen in the intake, so that a later change changes no report. */
export type MetadataRules = {
  /** The body's own; TDR's where there is none. */
  readonly profile?: Profile
  readonly xmlSchema?: FrozenXmlSchema
}

export type EngineConfig = {
  readonly state: StoreAddress
  readonly reports: StoreAddress
  readonly dropZones: readonly DropZone[]
  readonly referencePrefix: string
  readonly threads: number
  readonly chunk: ChunkLimits
  readonly read: ReadLimits
  readonly retryUncheckedHours: number
  readonly malwareWaitMinutes: number
  readonly scratch: string
  readonly service: ServiceSettings
  readonly schedules: readonly Schedule[]
  readonly queue: QueueSettings
  /** Opening hours; undefined where the file says nothing of them. */
  readonly lifecycle?: LifecycleSettings
}

/** Everything wrong with a configuration, each problem with its line where it has one. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

export type ConfigSurroundings = {
  /** Relative addresses are taken from here. */
  readonly folder: string
  readonly threads: number
  readonly scratch: string
  readonly deployment?: Deployment
}

/** What a deployment knows better than the file, and says in the environment: it wins. */
export type Deployment = {
  readonly state?: string
  readonly reports?: string
  /** Addresses by the names of drop zones. */
  readonly dropZones: Readonly<Record<string, string>>
  readonly queue: QueueDeployment
}

/**
 * Read the one YAML file. Throws one ConfigError that lists every problem with line and column.
 * An unknown name is a problem, not a fallback.
 */
export function readConfig(yaml: string, surroundings: ConfigSurroundings): EngineConfig {
  const lines = new LineCounter()
  const document = parseDocument(yaml, { lineCounter: lines })
  const problems = document.errors.map((error) => error.message)
  if (document.contents !== null && !isMap(document.contents))
    problems.push('the file has to hold names and values')
  if (problems.length > 0) throw new ConfigError(problems)
  const at = (map: YAMLMap | undefined, name: string): string => {
    const pair = map?.items.find((item) => String(item.key) === name)
    const node = pair?.key
    const offset =
      typeof node === 'object' && node !== null && 'range' in node
        ? (node.range as number[] | undefined)?.[0]
        : undefined
    if (offset === undefined) return ''
    const { line, col } = lines.linePos(offset)
    return `line ${line}, column ${col}: `
  }
  const root = isMap(document.contents) ? document.contents : undefined
  const reader = new FieldReader(problems, root, at)

  const address = (text: string, where: string, more: AddressOptions = {}): StoreAddress => {
    try {
      return parseStoreAddress(text, { folder: surroundings.folder, ...more })
    } catch (error) {
      problems.push(`${where}${error instanceof Error ? error.message : String(error)}`)
      return NO_ADDRESS
    }
  }
  const s3 = reader.section('s3')
  const s3Options: AddressOptions = {
    ...optional('endpoint', s3.text('endpoint')),
    ...optional('region', s3.text('region')),
    ...optional('forcePathStyle', s3.flag('forcePathStyle')),
    ...optional(
      'requestChecksums',
      s3.oneOf('requestChecksums', ['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const),
    ),
  }
  s3.finish()
  const chunk = reader.section('chunk')
  const limits: ChunkLimits = {
    maxFiles: chunk.whole('maxFiles', 1) ?? DEFAULTS.chunkMaxFiles,
    maxBytes: chunk.whole('maxBytes', 1) ?? DEFAULTS.chunkMaxBytes,
    maxCostSeconds: chunk.whole('maxSeconds', 1) ?? DEFAULTS.chunkMaxSeconds,
  }
  chunk.finish()
  const { deployment } = surroundings
  const deployed = new Map(Object.entries(deployment?.dropZones ?? {}))
  const zones = reader
    .list('dropZones')
    .map((zone) =>
      readZone(zone, deployed, (text, where, own) =>
        address(text, where, { ...s3Options, ...own }),
      ),
    )
  for (const [name, text] of deployed)
    if (!zones.some((zone) => zone.name === name))
      zones.push(zoneWithDefaults(name, address(text, '', s3Options)))
  const names = zones.map((zone) => zone.name)
  for (const name of new Set(names)) {
    if (names.filter((other) => other === name).length > 1)
      problems.push(`two drop zones are called \`${name}\``)
  }
  const area = (name: 'state' | 'reports'): StoreAddress => {
    const written = reader.text(name)
    return address(deployment?.[name] ?? written ?? DEFAULTS[name], at(root, name), s3Options)
  }
  const config: EngineConfig = {
    state: area('state'),
    reports: area('reports'),
    dropZones: zones,
    referencePrefix:
      reader.pattern(
        'referencePrefix',
        /^[A-Z][A-Z0-9]{1,9}$/,
        '2 to 10 capital letters and digits',
      ) ?? DEFAULTS.referencePrefix,
    threads: reader.whole('threads', 1) ?? surroundings.threads,
    chunk: limits,
    read: {
      resumableAboveBytes: reader.whole('resumableAboveBytes', 0) ?? DEFAULTS.resumableAboveBytes,
      checkpointEveryBytes:
        reader.whole('checkpointEveryBytes', 1) ?? DEFAULTS.checkpointEveryBytes,
      concurrentReads: reader.whole('concurrentReads', 1) ?? 8,
    },
    retryUncheckedHours: reader.whole('retryUncheckedHours', 0) ?? DEFAULTS.retryUncheckedHours,
    malwareWaitMinutes: reader.whole('malwareWaitMinutes', 0) ?? DEFAULTS.malwareWaitMinutes,
    scratch: reader.text('scratch') ?? surroundings.scratch,
    service: readServiceSettings(reader.section('service')),
    schedules: readSchedules(reader.list('schedules'), names),
    queue: readQueue(reader.section('queue'), deployment?.queue ?? {}),
    ...optional(
      'lifecycle',
      reader.raw('lifecycle') === undefined
        ? undefined
        : readLifecycle(reader.section('lifecycle')),
    ),
  }
  reader.finish()
  if (config.service.dropZone !== undefined && !names.includes(config.service.dropZone))
    problems.push(
      `\`service\` names a drop zone \`${config.service.dropZone}\` that there is none of`,
    )
  for (const zone of zones) problems.push(...overlaps(zone, config))
  if (problems.length > 0) throw new ConfigError(inOrder(problems))
  return Object.freeze(config)
}

/** Stands in for an address that could not be read, until all problems are told; overlaps nothing. */
const NO_ADDRESS: StoreAddress = { kind: 'folder', path: '' }

/** From the top of the file to its end; what has no line comes last. */
function inOrder(problems: readonly string[]): string[] {
  const place = (problem: string): number => {
    const [, line, column] = /^line (\d+), column (\d+): /.exec(problem) ?? []
    return line === undefined ? Infinity : Number(line) * 1e6 + Number(column)
  }
  return problems.toSorted((a, b) => {
    const [first, second] = [place(a), place(b)]
    return first === second ? 0 : first - second
  })
}

type AddressOptions =
  Omit<Extract<StoreAddress, { kind: 's3' }>, 'kind' | 'bucket' | 'prefix'> | Record<string, never>

function readZone(
  zone: FieldReader,
  deployed: ReadonlyMap<string, string>,
  address: (text: string, where: string, own: AddressOptions) => StoreAddress,
): DropZone {
  const name =
    zone.pattern('name', /^[a-z0-9][a-z0-9-]{0,62}$/, 'small letters, digits and hyphens') ??
    'default'
  const where = zone.where('address')
  const written = zone.text('address')
  const text = deployed.get(name) ?? written
  if (text === undefined)
    zone.problem(`drop zone \`${name}\` needs an \`address\`: a folder or s3://bucket/prefix`)
  const own = {
    ...optional('endpoint', zone.text('endpoint')),
    ...optional('region', zone.text('region')),
  }
  const excluded = zone.texts('excludedNames')
  const required = zone.texts('required') ?? []
  for (const check of required) {
    if (!(check in checks))
      zone.problem(
        `\`required\` names \`${check}\`, which is none of ${Object.keys(checks).join(', ')}`,
      )
  }
  const result: DropZone = {
    name,
    store: text === undefined ? NO_ADDRESS : address(text, where, own),
    quietMinutes: zone.whole('quietMinutes', 1) ?? null,
    ...optional('transferringBody', zone.text('transferringBody')),
    ...optional('series', zone.text('series')),
    ...optional('contact', zone.text('contact')),
    settings: {
      maxFileBytes: zone.whole('maxFileBytes', 1) ?? DEFAULTS.maxFileBytes,
      excludedNames: excluded
        ? excluded.map((pattern) => ({
            pattern,
            type: 'exact',
            caseInsensitive: true,
            description: 'configured',
          }))
        : EXCLUDED_NAMES,
      malwareTags:
        zone.oneOf('malware', ['guardduty', 'none'] as const) === 'guardduty'
          ? 'configured'
          : 'not configured',
      malwareRequired: required.includes('malware'),
    },
    required: required.filter((check): check is CheckId => check in checks),
    files: {
      ...optional('profile', zone.text('profile')),
      ...optional('xmlSchema', zone.text('xmlSchema')),
    },
  }
  zone.finish()
  return result
}

/** The configuration for one drop zone without a file: `wharfinger run <folder>`. */
export function zoneWithDefaults(name: string, store: StoreAddress): DropZone {
  return {
    name,
    store,
    quietMinutes: null,
    settings: {
      maxFileBytes: DEFAULTS.maxFileBytes,
      excludedNames: EXCLUDED_NAMES,
      malwareTags: 'not configured',
      malwareRequired: false,
    },
    required: [],
    files: {},
  }
}

/** State or reports inside a drop zone could be written by a sender. */
export function overlaps(
  zone: DropZone,
  config: Pick<EngineConfig, 'state' | 'reports'>,
): string[] {
  return (['state', 'reports'] as const)
    .filter((area) => lies(config[area], zone.store))
    .map(
      (area) =>
        `${area} must not lie inside the drop zone \`${zone.name}\`: its senders could write there`,
    )
}

function lies(inner: StoreAddress, outer: StoreAddress): boolean {
  if (inner.kind === 'folder' && outer.kind === 'folder')
    return outer !== NO_ADDRESS && `${inner.path}/`.startsWith(`${outer.path}/`)
  if (inner.kind === 's3' && outer.kind === 's3') {
    return (
      inner.bucket === outer.bucket &&
      inner.endpoint === outer.endpoint &&
      inner.prefix.startsWith(outer.prefix)
    )
  }
  return false
}

/** What a report depends on, frozen in the intake: not where things lie, nor how fast they are read. */
export function frozenRules(
  { settings, required, metadata = {} }: DropZone,
  config: EngineConfig,
): { settings: JobSettings; required: readonly CheckId[]; digest: string } & MetadataRules {
  const rules = { settings, required, prefix: config.referencePrefix, ...metadata }
  const digest = createHash('sha256').update(JSON.stringify(rules)).digest('hex')
  return { settings, required, digest, ...metadata }
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { [K in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [K in Name]?: Value })
}
