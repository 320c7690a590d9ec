import { Type } from '@fastify/type-provider-typebox'
import { transferPrefix, type TransferAddress } from '../model/transfer.ts'
import { completeTransfer } from '../service/complete.ts'
import { loadDestination, sourceSystems, transferConfiguration } from '../service/configuration.ts'
import { workNote } from '../service/context.ts'
import { initiateTransfer, resumeTransfer } from '../service/initiate.ts'
import { findInitiated } from '../service/initiated.ts'
import { notFound, Problem } from '../service/problem.ts'
import { readTransferErrors } from '../service/transfer-errors.ts'
import { caller, ownFolder } from './access.ts'
import type { Routes } from './parts.ts'
import { answers, count, cursor, limit, oneOf, sourceSystem, text, uuid, work } from './schemas.ts'

const config = { access: ['integrator'] } as const
const tags = ['As TDR’s transfer service']

const destination = Type.Object({
  awsRegion: text,
  bucketArn: text,
  bucketName: text,
  bucketKeyPrefix: text,
})

const loadDetails = Type.Object({
  transferId: uuid,
  transferReference: text,
  recordsLoadDestination: destination,
  metadataLoadDestination: destination,
  work,
})

const name = Type.String({ minLength: 1, maxLength: 1000 })

const completion = Type.Object(
  {
    expectedNumberFiles: count,
    loadedNumberFiles: count,
    loadErrors: Type.Array(
      Type.Object({ message: Type.String({ maxLength: 10_000 }) }, { additionalProperties: true }),
      { maxItems: 10_000 },
    ),
    transferringBody: Type.Optional(name),
    series: Type.Optional(name),
    contact: Type.Optional(name),
    priority: Type.Optional(count),
    corrects: Type.Optional(uuid),
    remove: Type.Optional(Type.Array(name, { maxItems: 10_000 })),
  },
  { additionalProperties: true },
)

const transferError = Type.Object({
  consignmentId: text,
  matchId: Type.Optional(text),
  path: Type.Optional(text),
  source: text,
  errorCode: text,
  errorMessage: text,
  howToFix: Type.Optional(text),
  place: Type.Optional(
    Type.Object({ document: text, row: Type.Optional(count), column: Type.Optional(text) }),
  ),
})

/** The paths and JSON of TDR's transfer service: a client written for it works here. */
export const tdrRoutes: Routes = (api, { context, reader }) => {
  const addressOf = (integrator: string, source: string, transferId: string): TransferAddress => ({
    zone: context.zone.name,
    integrator,
    source,
    transferId,
  })

  api.get(
    '/load/:sourceSystem/configuration',
    {
      config,
      schema: {
        tags,
        summary: 'What is taken: limits, names that are left out, headers to send',
        params: Type.Object({ sourceSystem }),
        response: answers(Type.Object({}, { additionalProperties: true })),
      },
    },
    (request) => Promise.resolve(transferConfiguration(context, request.params.sourceSystem)),
  )

  api.post(
    '/load/:sourceSystem/initiate',
    {
      config,
      schema: {
        tags,
        summary: 'Begin a transfer, or go on with one that is not completed',
        params: Type.Object({ sourceSystem }),
        querystring: Type.Object({ transferId: Type.Optional(uuid) }),
        headers: Type.Object({
          'idempotency-key': Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' })),
        }),
        response: answers(loadDetails),
      },
    },
    async (request) => {
      const integrator = ownFolder(request)
      const { sourceSystem: source } = request.params
      const { transferId } = request.query
      const repeat = request.headers['idempotency-key']
      const { transfer, reference } =
        transferId === undefined
          ? await initiateTransfer(context, {
              integrator,
              source,
              by: caller(request).subject,
              ...(repeat === undefined ? {} : { repeat }),
            })
          : await resumeTransfer(context, addressOf(integrator, source, transferId))
      const prefix = transferPrefix(transfer)
      return {
        transferId: transfer.transferId,
        transferReference: reference,
        recordsLoadDestination: loadDestination(context, prefix, 'records'),
        metadataLoadDestination: loadDestination(context, prefix, 'metadata'),
        work: workNote(context.awake()),
      }
    },
  )

  api.post(
    '/load/:sourceSystem/complete/:transferId',
    {
      config,
      schema: {
        tags,
        summary: 'Say that everything is sent; saying it twice changes nothing',
        params: Type.Object({ sourceSystem, transferId: uuid }),
        querystring: Type.Object({ metadataOnly: Type.Optional(Type.Boolean()) }),
        body: completion,
        response: answers(Type.Object({ transferId: uuid, success: Type.Boolean(), work })),
      },
    },
    async (request) => {
      const { sourceSystem: source, transferId } = request.params
      const initiated = await findInitiated(
        context,
        addressOf(ownFolder(request), source, transferId),
      )
      const { body } = request
      const transferringBody = bodyOf(caller(request).bodies, body.transferringBody)
      const success = await completeTransfer(context, initiated, {
        expectedNumberFiles: body.expectedNumberFiles,
        loadedNumberFiles: body.loadedNumberFiles,
        loadErrors: body.loadErrors.map(({ message }) => message),
        metadataOnly: request.query.metadataOnly === true,
        remove: body.remove ?? [],
        ...(transferringBody === undefined ? {} : { transferringBody }),
        ...(body.series === undefined ? {} : { series: body.series }),
        ...(body.contact === undefined ? {} : { contact: body.contact }),
        ...(body.priority === undefined ? {} : { priority: body.priority }),
        ...(body.corrects === undefined ? {} : { corrects: body.corrects }),
      })
      return { transferId, success, work: workNote(context.awake()) }
    },
  )

  api.get(
    '/errors/:kind/:transferId',
    {
      config,
      schema: {
        tags,
        summary: 'What is wrong with a transfer, a page at a time',
        params: Type.Object({ kind: oneOf(['load', 'errors']), transferId: uuid }),
        querystring: Type.Object({ limit: limit(1000, 1000), cursor: Type.Optional(cursor) }),
        response: answers(
          Type.Object({
            uploadCompleted: Type.Boolean({
              description: 'True from the moment there is a report.',
            }),
            transferId: uuid,
            errors: Type.Array(transferError),
            cursor: Type.Optional(text),
          }),
        ),
      },
    },
    async (request) => {
      const { transferId } = request.params
      const { limit: most, cursor: after } = request.query
      for (const source of sourceSystems) {
        const transfer = addressOf(ownFolder(request), source, transferId)
        const begun = await findInitiated(context, transfer).catch((error: unknown) => {
          if (error instanceof Problem && error.status === 404) return undefined
          throw error
        })
        if (begun === undefined) continue
        const page = await readTransferErrors(context, reader, transfer, {
          limit: most,
          ...(after === undefined ? {} : { cursor: after }),
        })
        return { ...page, errors: [...page.errors] }
      }
      throw notFound(`transfer ${transferId}`)
    },
  )
}

/** A sender that may send for some bodies only may not name another, and need not name its only one. */
function bodyOf(bodies: readonly string[] | 'all', stated: string | undefined): string | undefined {
  if (bodies === 'all' || bodies.length === 0) return stated
  if (stated === undefined) return bodies.length === 1 ? bodies[0] : undefined
  if (!bodies.includes(stated))
    throw new Problem(403, 'Not allowed', 'You do not send for this transferring body.')
  return stated
}
