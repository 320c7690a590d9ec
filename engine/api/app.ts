import { randomUUID } from 'node:crypto'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { fastify, LogController, type FastifyServerOptions } from 'fastify'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ConsignmentIndex } from '../service/consignment-index.ts'
import type { ServiceContext } from '../service/context.ts'
import { Problem } from '../service/problem.ts'
import { TransferReader } from '../service/transfer-status.ts'
import { createUploads } from '../service/uploads.ts'
import { ENGINE_VERSION } from '../version.ts'
import { guardRoutes } from './access.ts'
import { auditRoutes } from './audit-routes.ts'
import type { Authenticate } from './authenticate.ts'
import { consignmentRoutes } from './consignment-routes.ts'
import { Draining } from './draining.ts'
import { allowOrigins, limitBodyTime } from './hardening.ts'
import { metadataRoutes } from './metadata-routes.ts'
import type { Api, ApiParts, Routes } from './parts.ts'
import { answerProblems, sendProblem } from './problems.ts'
import { serviceRoutes } from './service-routes.ts'
import { tdrRoutes } from './tdr-routes.ts'
import { transferRoutes } from './transfer-routes.ts'
import { uploadRoutes } from './upload-routes.ts'

export type ApiOptions = {
  readonly context: ServiceContext
  readonly index: ConsignmentIndex
  readonly authenticate: Authenticate
  /** More routes: the dashboard, schedules. Each has to say who may call it. */
  readonly plugins?: readonly Routes[]
  readonly isReady?: () => boolean
  readonly logger?: FastifyServerOptions['logger']
  /** How long a small body may take to arrive. */
  readonly bodyMs?: number
  /** How long the head of a request may take. */
  readonly headersMs?: number
}

const BODY_LIMIT_BYTES = 1024 * 1024
const BODY_MS = 30_000
const HEADERS_MS = 15_000
const SILENT_SOCKET_MS = 60_000
const KEEP_ALIVE_MS = 75_000 // longer than a load balancer's 60 s
const TOKEN_CHARACTERS = 4000

/** The whole service as one Fastify instance, not listening yet. */
export function createApi(options: ApiOptions): { readonly api: Api; readonly parts: ApiParts } {
  const { context, index } = options
  const { service } = context.config
  const { headersMs = HEADERS_MS } = options
  const api: Api = fastify({
    logger: options.logger ?? false,
    // Paths name transfers; metrics count requests.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 0, // an upload may take hours; each kind of body has its own limit
    connectionTimeout: SILENT_SOCKET_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Node looks for slow heads twice a minute, if it is not told to look more often.
    http: { headersTimeout: headersMs, connectionsCheckingInterval: headersMs },
    routerOptions: { maxParamLength: TOKEN_CHARACTERS },
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    frameworkErrors: (_error, request, reply) => {
      sendProblem(
        reply,
        new Problem(400, 'Not an address', 'The address was not understood.'),
        request,
      )
    },
  }).withTypeProvider<TypeBoxTypeProvider>()

  const url = () => service.url ?? addressOf(api)
  const draining = new Draining()
  const uploads = createUploads(context, url)
  const parts: ApiParts = {
    context,
    index,
    reader: new TransferReader(context),
    uploads,
    draining,
    url,
  }
  const registry = countRequests(api, parts)

  readStrictly(api)
  answerProblems(api)
  api.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  draining.watch(api)
  allowOrigins(api, service.origins)
  limitBodyTime(api, options.bodyMs ?? BODY_MS)
  guardRoutes(api, options.authenticate)
  api.register(helmet, { contentSecurityPolicy: { directives: { defaultSrc: ["'none'"] } } })
  api.register(rateLimit, {
    max: service.limits.requestsPerMinute,
    timeWindow: 60_000,
    hook: 'preHandler', // after it is known who asks
    keyGenerator: ({ principal, ip }) => principal?.integrator ?? principal?.subject ?? ip,
    errorResponseBuilder: (_request, { after }) =>
      new Problem(429, 'Too many requests', `Try again in ${after}.`),
  })
  api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Wharfinger',
        version: ENGINE_VERSION,
        description: 'Land consignments of digital records, and learn what was found.',
      },
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      },
      security: [{ bearer: [] }],
    },
  })
  const groups = [
    serviceRoutes(registry, options.isReady ?? (() => index.loaded)),
    tdrRoutes,
    transferRoutes,
    uploadRoutes,
    metadataRoutes,
    consignmentRoutes,
    auditRoutes,
    ...(options.plugins ?? []),
  ]
  for (const group of groups)
    api.register(async (scope) => group(scope.withTypeProvider<TypeBoxTypeProvider>(), parts))
  api.addHook('onClose', () => uploads.close())
  return { api, parts }
}

/** A body is what it is: no text is taken for a number. Addresses and headers are all text. */
function readStrictly(api: Api): void {
  const strict = new Ajv({ useDefaults: true, allErrors: false })
  const ofText = new Ajv({ useDefaults: true, coerceTypes: true, allErrors: false })
  for (const ajv of [strict, ofText]) formats.default(ajv)
  api.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === 'body' ? strict : ofText).compile(schema as object),
  )
  // Clients of TDR send `initiate` without a body, whatever they say its type is.
  const parse = api.getDefaultJsonParser('error', 'error')
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else void parse(request, body as string, done)
  })
}

function countRequests(api: Api, { index, draining }: ApiParts): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const seconds = new Histogram({
    name: 'wharfinger_http_request_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  })
  api.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none' // never the address itself: it names transfers
    const labels = { method: request.method, route, status: String(reply.statusCode) }
    seconds.observe(labels, reply.elapsedTime / 1000)
  })
  registry.registerMetric(
    new Gauge({
      name: 'wharfinger_http_requests_in_flight',
      help: 'Requests being answered.',
      registers: [],
      collect() {
        this.set(draining.inFlight)
      },
    }),
  )
  registry.registerMetric(
    new Gauge({
      name: 'wharfinger_consignments',
      help: 'Consignments by state.',
      labelNames: ['state'],
      registers: [],
      collect() {
        const { inProgress, toBeDecided, decided } = index.counts()
        this.set({ state: 'in progress' }, inProgress)
        this.set({ state: 'to be decided' }, toBeDecided)
        this.set({ state: 'decided' }, decided)
      },
    }),
  )
  return registry
}

/** The caller's own id where it is harmless, so that both sides' logs can be joined. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(given) ? given : randomUUID()
}

function addressOf(api: Api): string {
  const address = api.server.address()
  if (address === null || typeof address === 'string') throw new Error('bug: not listening')
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}
