/// <reference types="@fastify/swagger" />
// For the `hide` of a route: pages are no part of the API's description.
import type { ConsignmentIndex } from '../service/consignment-index.ts'
import type { ServiceContext } from '../service/context.ts'
import type { TransferReader } from '../service/transfer-status.ts'
import type { Schedule } from '../schedule/schedule-config.ts'
import type { Sessions } from './session.ts'
import type { SignIn } from './sign-in.ts'

/** What the dashboard shows and may do. */
export type DashboardOptions = {
  readonly context: ServiceContext
  readonly index: ConsignmentIndex
  readonly transfers: TransferReader
  readonly sessions: Sessions
  readonly signIn: SignIn
  /** IANA name of the zone that pages tell times in. */
  readonly timeZone: string
  /** Whether people come by https, so that cookies are kept to it. */
  readonly secure: boolean
  /** The compiled style sheet. */
  readonly stylesheet: string
  /** The week as a picture and the next changes, where opening hours are configured. */
  readonly calendar?: (now: Date) => {
    readonly svg: string
    readonly next: readonly {
      readonly atUtc: number
      readonly state: string
      readonly reason: string
    }[]
  }
  /** What was saved and what still costs, as lines of text. */
  readonly money?: (now: Date) => string
  /** Ring a schedule now; undefined where this process cannot. */
  readonly runSchedule?: (schedule: Schedule) => Promise<void>
}

/** Of every page: no part of the API's description; the page itself asks who is signed in. */
export const pageRoute = { schema: { hide: true }, config: { access: 'anyone' } } as const
