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
  /** Opening hours and money, where opening hours are configured. */
  readonly board?: () => Promise<LifecycleBoard>
  /** Ring a schedule now; undefined where this process cannot. */
  readonly runSchedule?: (schedule: Schedule) => Promise<void>
}

/** Opening hours and money, as operators see them. Times are epoch milliseconds, money is US dollars. */
export type LifecycleBoard = {
  /** The week as a picture. */
  readonly svg: string
  readonly next: readonly {
    readonly atUtc: number
    readonly state: string
    readonly reason: string
  }[]
  /** Where the bank holidays come from. */
  readonly calendar: string
  readonly year: number
  readonly plans: readonly {
    readonly name: string
    readonly awakeHours: number
    readonly tasksUsd: number
    readonly savedUsd: number
  }[]
  /** What is paid while everything sleeps, dearest first. */
  readonly floor: readonly {
    readonly what: string
    readonly amount: number
    readonly usd: number | undefined
    readonly remedy: string
  }[]
  readonly floorUsd: number
  /** Measured; undefined until a task has run. */
  readonly saved?: {
    readonly sinceUtc: number
    readonly taskHours: number
    readonly paidUsd: number
    readonly savedUsd: number
  }
  /** How AWS differs from the schedule; undefined where nothing is deployed, or it cannot be asked. */
  readonly drift?: readonly {
    readonly kind: string
    readonly sentence: string
    readonly alarm: boolean
  }[]
  readonly driftUnknown?: string
}

/** Of every page: no part of the API's description; the page itself asks who is signed in. */
export const pageRoute = { schema: { hide: true }, config: { access: 'anyone' } } as const
