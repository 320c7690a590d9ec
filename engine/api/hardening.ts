import type { IncomingHttpHeaders } from 'node:http'
import { PassThrough, type Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../service/problem.ts'

const METHODS = 'GET, POST, PUT'
const HEADERS = 'authorization, content-type, idempotency-key, if-none-match'
const EXPOSED = 'x-request-id, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset'
const PREFLIGHT_SECONDS = 600

/** Let pages of these origins call the API. Compared whole, so that no look-alike passes. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  const allowed = new Set(origins)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('vary', 'Origin')
    const { origin } = request.headers
    if (origin === undefined || !allowed.has(origin)) return
    reply.header('access-control-allow-origin', origin)
    reply.header('access-control-expose-headers', EXPOSED)
    const asks = request.headers['access-control-request-method'] !== undefined
    if (request.method !== 'OPTIONS' || !asks) return
    await reply
      .headers({
        'access-control-allow-methods': METHODS,
        'access-control-allow-headers': HEADERS,
        'access-control-max-age': String(PREFLIGHT_SECONDS),
      })
      .code(204)
      .send()
  })
}

/** A body that trickles in holds a connection and memory; bodies that are streamed have the socket's limit. */
export function limitBodyTime(app: FastifyInstance, bodyMs: number): void {
  app.addHook('preParsing', async (request, reply, payload: Readable) => {
    if (request.routeOptions.config.streams === true || !hasBody(request.headers)) return payload
    const guarded = new PassThrough()
    const timer = setTimeout(
      () =>
        guarded.destroy(
          new Problem(408, 'Too slow', `A body has to arrive within ${bodyMs / 1000} seconds.`),
        ),
      bodyMs,
    )
    // Answered before the body was read, or the caller is gone: nobody waits for the rest.
    reply.raw.once('close', () => guarded.destroy())
    guarded.once('close', () => clearTimeout(timer))
    guarded.once('end', () => clearTimeout(timer))
    guarded.on('error', () => clearTimeout(timer))
    payload.once('error', (error) => guarded.destroy(error))
    return payload.pipe(guarded)
  })
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
