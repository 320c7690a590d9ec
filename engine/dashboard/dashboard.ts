import { timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import type { Principal } from '../service/principal.ts'
import { Problem } from '../service/problem.ts'
import { WaitingRoom } from '../service/waiting.ts'
import { consignmentPages } from './consignment-pages.ts'
import { createPages } from './pages.ts'
import { operatorPages } from './operator-pages.ts'
import { SESSION_COOKIE } from './session.ts'
import { signInPages } from './sign-in-pages.ts'
import { pageRoute, type DashboardOptions } from './options.ts'
import type { PageTools } from './page-tools.ts'

const INDEX_FRESH_MS = 2000
const CONTENT_POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

/** The pages for people, on the same Fastify instance as the API: they work without scripts. */
export async function registerDashboard(
  app: FastifyInstance,
  options: DashboardOptions,
): Promise<void> {
  const render = createPages(options.timeZone)
  await app.register(async (scope) => {
    await scope.register(cookie)
    await scope.register(formbody, { bodyLimit: 64 * 1024 })
    let refreshedAt = -Infinity
    const room = new WaitingRoom(options.context)
    const tools: PageTools = {
      ...options,
      waiting: () => room.look(),
      waitingOf: (integrator) => room.of(integrator),
      async refresh() {
        if (performance.now() - refreshedAt < INDEX_FRESH_MS) return
        await options.index.refresh()
        refreshedAt = performance.now()
      },
      async show(request, reply, page, about) {
        const session = await options.sessions.read(request.cookies[SESSION_COOKIE])
        const html = render(page, {
          ...about,
          session,
          navigation: session === undefined ? [] : navigationOf(session.principal),
          here: request.url.split('?')[0],
        })
        return reply.type('text/html; charset=utf-8').send(html)
      },
      async signedIn(request, may = () => true) {
        const session = await options.sessions.read(request.cookies[SESSION_COOKIE])
        if (session === undefined)
          throw new Problem(401, 'Sign in first', 'Nobody is signed in here.')
        if (!may(session.principal))
          throw new Problem(403, 'Not for you', 'Your role does not include this page.')
        return session
      },
      form(request, session) {
        const body: unknown = request.body
        const fields = typeof body === 'object' && body !== null ? body : {}
        const texts = Object.fromEntries(
          Object.entries(fields).map(([name, value]) => [
            name,
            typeof value === 'string' ? value : '',
          ]),
        )
        if (!sameText(texts['formToken'] ?? '', session.formToken))
          throw new Problem(
            403,
            'Not from this page',
            'Open the page again and send the form anew.',
          )
        return texts
      },
    }
    // Before the handler, which may say otherwise for what it sends.
    scope.addHook('onRequest', async (_request, reply) => {
      reply.header('content-security-policy', CONTENT_POLICY)
      reply.header('cache-control', 'no-store')
    })
    scope.setErrorHandler(async (error, request, reply) => {
      if (!(error instanceof Problem)) throw error
      if (error.status === 401) return reply.redirect('/sign-in')
      return tools.show(request, reply.code(error.status), 'problem', {
        title: error.title,
        detail: error.message,
      })
    })
    signInPages(scope, tools)
    operatorPages(scope, tools)
    consignmentPages(scope, tools)
  })
  assets(app, options.stylesheet)
}

function navigationOf(principal: Principal): readonly { href: string; text: string }[] {
  const { roles } = principal
  return [
    ...(roles.includes('operator') ? [{ href: '/', text: 'Overview' }] : []),
    ...(roles.includes('archivist') ? [{ href: '/pages/consignments', text: 'Consignments' }] : []),
    ...(roles.includes('integrator') ? [{ href: '/pages/transfers', text: 'Your transfers' }] : []),
    ...(roles.includes('operator') ? [{ href: '/pages/schedules', text: 'Schedules' }] : []),
    ...(roles.includes('operator') || roles.includes('archivist')
      ? [{ href: '/pages/audit', text: 'Audit log' }]
      : []),
  ]
}

/** Nothing else is served from a folder, so no path leads out of one. */
function assets(app: FastifyInstance, stylesheet: string): void {
  const own = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url))
  const files = {
    'dashboard.css': [stylesheet, 'text/css'],
    'live.js': [own('live.js'), 'text/javascript'],
    'icon.svg': [own('icon.svg'), 'image/svg+xml'],
  } as const
  for (const [name, [file, type]] of Object.entries(files)) {
    const content = readFileSync(file)
    app.get(`/assets/${name}`, pageRoute, (_request, reply) =>
      reply.type(`${type}; charset=utf-8`).header('cache-control', 'max-age=3600').send(content),
    )
  }
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
