import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Role } from '../service-config.ts'
import type { Principal } from '../service/principal.ts'
import { Problem } from '../service/problem.ts'
import type { Authenticate } from './authenticate.ts'

/** Who may call a route: everybody, or those with one of the roles. Every route says so. */
export type Access = 'anyone' | readonly Role[]

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** The body is read by the handler, piece by piece. */
    streams?: true
  }
  interface FastifyRequest {
    principal: Principal | undefined
  }
}

/** Refuse at start a route that does not say who may call it, and then whoever may not. */
export function guardRoutes(app: FastifyInstance, authenticate: Authenticate): void {
  app.decorateRequest('principal', undefined)
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === undefined)
      throw new Error(`bug: ${String(method)} ${url} does not say who may call it`)
  })
  app.addHook('onRequest', async (request) => {
    const { access } = request.routeOptions.config
    if (access === undefined || access === 'anyone') return
    request.principal = await authenticate(request.headers)
    if (request.principal === undefined)
      throw new Problem(401, 'Not signed in', 'Send a bearer token.')
    const { roles } = request.principal
    if (!access.some((role) => roles.includes(role)))
      throw new Problem(403, 'Not allowed', `This is for ${access.join('s and ')}s.`)
  })
}

/** Who calls a guarded route. */
export function caller(request: FastifyRequest): Principal {
  if (request.principal === undefined) throw new Error('bug: a guarded route without a caller')
  return request.principal
}

/** The caller's own folder of the drop zone. */
export function ownFolder(request: FastifyRequest): string {
  const { integrator } = caller(request)
  if (integrator === undefined) throw new Error('bug: an integrator without a folder')
  return integrator
}
