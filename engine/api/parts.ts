import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { ConsignmentIndex } from '../service/consignment-index.ts'
import type { ServiceContext } from '../service/context.ts'
import type { TransferReader } from '../service/transfer-status.ts'
import type { Uploads } from '../service/uploads.ts'
import type { Draining } from './draining.ts'

/** What every group of routes works with. */
export type ApiParts = {
  readonly context: ServiceContext
  readonly index: ConsignmentIndex
  readonly reader: TransferReader
  readonly uploads: Uploads
  readonly draining: Draining
  /** What callers reach the service by, without "/" at the end. */
  readonly url: () => string
}

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** A group of routes: one file each. Also how pages and schedules join. */
export type Routes = (api: Api, parts: ApiParts) => void
