import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TransferAddress } from '../model/transfer.ts'
import type { Waiting } from '../service/waiting.ts'
import type { Principal } from '../service/principal.ts'
import type { DashboardOptions } from './options.ts'
import type { Session } from './session.ts'

/** What each group of pages builds on. */
export type PageTools = DashboardOptions & {
  /** Have the index of consignments look for what is new, unless it has just done so. */
  refresh(): Promise<void>
  /** What has landed whole and nobody has taken. */
  waiting(): Promise<Waiting>
  /** The same of one sender, by address. */
  waitingOf(integrator: string): Promise<readonly TransferAddress[]>
  /** The page, for whoever is signed in. */
  show(
    request: FastifyRequest,
    reply: FastifyReply,
    page: string,
    about: Readonly<Record<string, unknown>> & { readonly title: string },
  ): Promise<FastifyReply>
  /** Who is signed in. Throws Problem 401 for nobody and 403 for somebody without the role. */
  signedIn(request: FastifyRequest, may?: (principal: Principal) => boolean): Promise<Session>
  /** The fields of a form that came from one of our own pages. Throws Problem 403. */
  form(request: FastifyRequest, session: Session): Readonly<Record<string, string>>
}
