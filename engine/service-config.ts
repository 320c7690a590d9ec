import type { FieldReader } from './config-fields.ts'

/** Every default in one place, each with its reason. */
const DEFAULTS = {
  host: '127.0.0.1', // nobody else can reach it until somebody says so
  port: 8080,
  maxRecords: 5000, // TDR's own limits
  maxFileMb: 5000,
  maxTransferMb: 5000,
  requestsPerMinute: 600, // one connector with ten parallel uploads of small files
  metadataMb: 50, // a table of 100,000 rows
  uploadMinutes: 60, // time for 5 GB at 12 Mbit/s
  stopSeconds: 25, // inside the 30 s that ECS gives
  lingerSeconds: 0,
} as const

/** Asymmetric only: with a shared secret whoever can verify a token can also make one. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

export const roles = ['integrator', 'archivist', 'operator'] as const
export type Role = (typeof roles)[number]

export type OidcSettings = {
  readonly issuer: string
  readonly audience: string
  /** Address of the issuer's JSON Web Key Set. */
  readonly jwks: string
  /** Under which the issuer knows the dashboard; without it there are no pages. */
  readonly clientId?: string
  readonly algorithms: readonly string[]
  /** Where in a token things are said; a dot goes one object deeper. */
  readonly claims: {
    readonly roles: string
    readonly integrator: string
    readonly bodies: string
    readonly name: string
  }
  /** For each role, the values of the roles claim that give it. */
  readonly roles: Readonly<Record<Role, readonly string[]>>
}

export type ServiceLimits = {
  readonly records: number
  readonly fileBytes: number
  readonly transferBytes: number
  readonly requestsPerMinute: number
  readonly metadataBytes: number
}

/** The `service:` section: what `wharfinger serve` listens on and holds its callers to. */
export type ServiceSettings = {
  readonly host: string
  readonly port: number
  /** What callers reach it by, without a "/" at the end; for links. */
  readonly url?: string
  /** The drop zone that transfers land in; the first of the configuration where not said. */
  readonly dropZone?: string
  /** Web origins that may call the API from a browser, compared whole. */
  readonly origins: readonly string[]
  readonly limits: ServiceLimits
  readonly uploadMinutes: number
  /** From SIGTERM to the exit at the latest. */
  readonly stopSeconds: number
  /** How long it goes on answering 503 after SIGTERM, for a load balancer to notice. */
  readonly lingerSeconds: number
  /** Without it one token, printed at start, opens everything, from this machine alone. */
  readonly oidc?: OidcSettings
}

const MB = 1_000_000 // as TDR counts

export function readServiceSettings(service: FieldReader): ServiceSettings {
  const host = service.text('host') ?? DEFAULTS.host
  const url = service.pattern(
    'url',
    /^https?:\/\/[^/\s?#]+(?:\/[^\s?#]*[^/\s?#])?$/,
    'an address like https://transfer.example, without / at the end',
  )
  const dropZone = service.text('dropZone')
  const origins = service.texts('origins') ?? []
  for (const origin of origins)
    if (!isOrigin(origin))
      service.problem(
        `${service.where('origins')}\`${origin}\` in \`origins\` is no web origin, like https://contoso.sharepoint.com`,
      )
  const oidc = readOidc(service)
  if (oidc === undefined && !isLoopback(host))
    service.problem(
      `${service.where('host')}without \`oidc\` the service may listen on 127.0.0.1 only, not on ${host}`,
    )
  const settings: ServiceSettings = {
    host,
    port: service.whole('port', 0) ?? DEFAULTS.port,
    ...(url === undefined ? {} : { url }),
    ...(dropZone === undefined ? {} : { dropZone }),
    origins,
    limits: {
      records: service.whole('maxRecords', 1) ?? DEFAULTS.maxRecords,
      fileBytes: MB * (service.whole('maxFileMb', 1) ?? DEFAULTS.maxFileMb),
      transferBytes: MB * (service.whole('maxTransferMb', 1) ?? DEFAULTS.maxTransferMb),
      requestsPerMinute: service.whole('requestsPerMinute', 1) ?? DEFAULTS.requestsPerMinute,
      metadataBytes: MB * (service.whole('metadataMb', 1) ?? DEFAULTS.metadataMb),
    },
    uploadMinutes: service.whole('uploadMinutes', 1) ?? DEFAULTS.uploadMinutes,
    stopSeconds: service.whole('stopSeconds', 1) ?? DEFAULTS.stopSeconds,
    lingerSeconds: service.whole('lingerSeconds', 0) ?? DEFAULTS.lingerSeconds,
    ...(oidc === undefined ? {} : { oidc }),
  }
  service.finish()
  return settings
}

function readOidc(service: FieldReader): OidcSettings | undefined {
  const oidc = service.section('oidc')
  const issuer = oidc.text('issuer')
  const audience = oidc.text('audience')
  const jwks = oidc.text('jwks')
  const clientId = oidc.text('clientId')
  const algorithms = oidc.texts('algorithms') ?? ['RS256']
  for (const one of algorithms)
    if (!ALGORITHMS.some((known) => known === one))
      oidc.problem(
        `${oidc.where('algorithms')}\`${one}\` in \`algorithms\` is none of ${ALGORITHMS.join(', ')}`,
      )
  const claims = oidc.section('claims')
  const names = {
    roles: claims.text('roles') ?? 'roles',
    integrator: claims.text('integrator') ?? 'sub',
    bodies: claims.text('bodies') ?? 'body',
    name: claims.text('name') ?? 'preferred_username',
  }
  claims.finish()
  const given = oidc.section('roles')
  const values = {
    integrator: given.texts('integrator') ?? ['integrator'],
    archivist: given.texts('archivist') ?? ['archivist'],
    operator: given.texts('operator') ?? ['operator'],
  }
  given.finish()
  oidc.finish()
  if (issuer === undefined && audience === undefined && jwks === undefined) return undefined
  if (issuer === undefined || audience === undefined || jwks === undefined) {
    oidc.problem(
      `${service.where('oidc')}\`oidc\` needs \`issuer\`, \`audience\` and \`jwks\`, all three`,
    )
    return undefined
  }
  if (!URL.canParse(jwks)) oidc.problem(`${oidc.where('jwks')}\`jwks\` has to be an address`)
  return {
    issuer,
    audience,
    jwks,
    ...(clientId === undefined ? {} : { clientId }),
    algorithms,
    claims: names,
    roles: values,
  }
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

function isLoopback(host: string): boolean {
  return host === '127.0.0.1' || host === '::1' || host === 'localhost'
}
