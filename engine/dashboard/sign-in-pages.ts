import type { FastifyInstance, FastifyReply } from 'fastify'
import { Problem } from '../service/problem.ts'
import type { PageTools } from './page-tools.ts'
import { pageRoute } from './options.ts'
import { SESSION_COOKIE } from './session.ts'
import { FLOW_COOKIE } from './sign-in.ts'

/** Coming in and going out. */
export function signInPages(app: FastifyInstance, tools: PageTools): void {
  const { sessions, signIn, secure } = tools
  const cookie = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const
  const enter = async (reply: FastifyReply, session: string) =>
    reply.setCookie(SESSION_COOKIE, session, cookie).redirect('/')

  app.get<{ Querystring: { token?: string } }>('/sign-in', pageRoute, async (request, reply) => {
    const { token } = request.query
    if (signIn.kind === 'token' && typeof token === 'string') {
      const principal = signIn.accept(token)
      if (principal === undefined)
        throw new Problem(403, 'Not signed in', 'The token is not the one that was printed last.')
      return enter(reply, await sessions.begin(principal))
    }
    return tools.show(request, reply, 'sign-in', { title: 'Sign in', oidc: signIn.kind === 'oidc' })
  })

  app.get('/sign-in/begin', pageRoute, async (_request, reply) => {
    if (signIn.kind !== 'oidc') return reply.redirect('/sign-in')
    const { location, cookie: flow } = await signIn.flow.begin()
    return reply.setCookie(FLOW_COOKIE, flow, { ...cookie, maxAge: 600 }).redirect(location)
  })

  app.get('/sign-in/callback', pageRoute, async (request, reply) => {
    if (signIn.kind !== 'oidc') return reply.redirect('/sign-in')
    const callback = new URL(request.url, `${request.protocol}://${request.host}`)
    const principal = await signIn.flow.finish(callback, request.cookies[FLOW_COOKIE])
    reply.clearCookie(FLOW_COOKIE, cookie)
    return enter(reply, await sessions.begin(principal))
  })

  app.post('/sign-out', pageRoute, async (request, reply) => {
    const session = await tools.signedIn(request)
    tools.form(request, session)
    return reply.clearCookie(SESSION_COOKIE, cookie).redirect('/sign-in')
  })
}
