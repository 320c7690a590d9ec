import { Type } from '@fastify/type-provider-typebox'
import type { TransferAddress } from '../model/transfer.ts'
import { workNote } from '../service/context.ts'
import { listInitiated } from '../service/initiate.ts'
import { notFound } from '../service/problem.ts'
import { listArrived } from '../service/uploads.ts'
import { ownFolder } from './access.ts'
import { followTransfer } from './events.ts'
import type { Routes } from './parts.ts'
import { describeReport, reportFileParams, sendReportFile } from './report-files.ts'
import {
  answers,
  count,
  cursor,
  limit,
  reportFiles,
  text,
  transferParams,
  transferStatus,
} from './schemas.ts'

const config = { access: ['integrator'] } as const
const tags = ['Transfers']
const page = Type.Object({ limit: limit(100, 1000), cursor: Type.Optional(cursor) })

/** An integrator's own transfers: what arrived, how far they are, their reports. */
export const transferRoutes: Routes = (api, parts) => {
  const { context, reader } = parts
  const own = (
    integrator: string,
    params: { readonly sourceSystem: string; readonly transferId: string },
  ): TransferAddress => ({
    zone: context.zone.name,
    integrator,
    source: params.sourceSystem,
    transferId: params.transferId,
  })

  api.get(
    '/transfers',
    {
      config,
      schema: {
        tags,
        summary: 'Your transfers that were begun here',
        querystring: page,
        response: answers(
          Type.Object({
            transfers: Type.Array(
              Type.Object({
                transferId: text,
                source: text,
                reference: text,
                initiatedAt: text,
              }),
            ),
            cursor: Type.Optional(text),
          }),
        ),
      },
    },
    async (request) => {
      const { limit: most, cursor: after } = request.query
      const found = await listInitiated(context, ownFolder(request), {
        limit: most,
        ...(after === undefined ? {} : { cursor: after }),
      })
      return {
        transfers: found.transfers.map(({ transfer, reference, initiatedAt }) => ({
          transferId: transfer.transferId,
          source: transfer.source,
          reference,
          initiatedAt,
        })),
        ...(found.cursor === undefined ? {} : { cursor: found.cursor }),
      }
    },
  )

  api.get(
    '/transfers/:sourceSystem/:transferId',
    {
      config,
      schema: {
        tags,
        summary: 'How far a transfer is, step by step',
        params: transferParams,
        response: answers(transferStatus),
      },
    },
    async (request) => {
      const status = await reader.status(own(ownFolder(request), request.params))
      const { refused, ...rest } = status
      return {
        ...rest,
        ...(refused === undefined ? {} : { refused: [...refused] }),
        steps: [...status.steps],
        work: workNote(context.awake()),
      }
    },
  )

  api.get(
    '/transfers/:sourceSystem/:transferId/events',
    {
      config,
      schema: {
        tags,
        summary: 'The same as it changes, as server-sent events, until there is a report',
        params: transferParams,
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      await followTransfer(request, reply, parts, own(ownFolder(request), request.params))
    },
  )

  api.get(
    '/transfers/:sourceSystem/:transferId/objects',
    {
      config,
      schema: {
        tags,
        summary: 'What has arrived, in key order; go on after the cursor',
        params: transferParams,
        querystring: page,
        response: answers(
          Type.Object({
            objects: Type.Array(Type.Object({ key: text, sizeBytes: count })),
            cursor: Type.Optional(text),
          }),
        ),
      },
    },
    async (request) => {
      const { limit: most, cursor: after } = request.query
      const found = await listArrived(context, own(ownFolder(request), request.params), {
        limit: most,
        ...(after === undefined ? {} : { cursor: after }),
      })
      return { ...found, objects: [...found.objects] }
    },
  )

  api.get(
    '/transfers/:sourceSystem/:transferId/report',
    {
      config,
      schema: {
        tags,
        summary: 'The files of the newest report',
        params: transferParams,
        response: answers(reportFiles),
      },
    },
    async (request) => {
      const delivered = await reader.delivered(own(ownFolder(request), request.params))
      if (delivered === undefined) throw notFound('report yet')
      return describeReport(delivered, request.url.split('?')[0] ?? '')
    },
  )

  api.get(
    '/transfers/:sourceSystem/:transferId/report/:digest/:name',
    {
      config,
      schema: {
        tags,
        summary: 'One file of the newest report',
        params: Type.Intersect([transferParams, reportFileParams]),
      },
    },
    async (request, reply) => {
      const delivered = await reader.delivered(own(ownFolder(request), request.params))
      if (delivered === undefined) throw notFound('report yet')
      return sendReportFile(reply, context.reports, delivered, request.params)
    },
  )
}
