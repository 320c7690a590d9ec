import { Type } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { findInitiated } from '../service/initiated.ts'
import { ownFolder } from './access.ts'
import type { Api, Routes } from './parts.ts'
import { answers, count, created, oneOf, text, transferParams } from './schemas.ts'

const config = { access: ['integrator'] } as const
const tags = ['Uploads']
const UPLOADS_FACTOR = 20

const key = Type.String({
  minLength: 9,
  maxLength: 900,
  description: '`records/...` or `metadata/...`',
})
const uploadId = Type.String({ minLength: 1, maxLength: 1024 })
const signed = {
  method: text,
  url: text,
  headers: Type.Record(Type.String(), Type.String()),
}
const offer = Type.Object({
  kind: oneOf(['single', 'multipart']),
  key: text,
  expiresAt: text,
  method: Type.Optional(text),
  url: Type.Optional(text),
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
  uploadId: Type.Optional(text),
  parts: Type.Optional(
    Type.Array(Type.Object({ partNumber: count, firstByte: count, sizeBytes: count, ...signed })),
  ),
})

/** Uploads by those who have no credentials of the store. */
export const uploadRoutes: Routes = (api, { context, uploads }) => {
  // Each small file needs a link: as many as a line of ten parallel uploads can use.
  const perMinute = UPLOADS_FACTOR * context.config.service.limits.requestsPerMinute
  const offering = { ...config, rateLimit: { max: perMinute } }
  const begun = async (
    request: FastifyRequest,
    params: { readonly sourceSystem: string; readonly transferId: string },
  ) => {
    const { transfer } = await findInitiated(context, {
      zone: context.zone.name,
      integrator: ownFolder(request),
      source: params.sourceSystem,
      transferId: params.transferId,
    })
    return transfer
  }

  api.post(
    '/transfers/:sourceSystem/:transferId/uploads',
    {
      config: offering,
      schema: {
        tags,
        summary: 'Links to upload one object by, in one request or in parts',
        params: transferParams,
        body: Type.Object({
          key,
          sizeBytes: Type.Integer({ minimum: 0 }),
          uploadId: Type.Optional(uploadId),
        }),
        response: created(offer),
      },
    },
    async (request, reply) => {
      const transfer = await begun(request, request.params)
      const made = await uploads.offer(transfer, request.body)
      return reply
        .code(201)
        .send(made.kind === 'single' ? made : { ...made, parts: [...made.parts] })
    },
  )

  api.post(
    '/transfers/:sourceSystem/:transferId/uploads/complete',
    {
      config,
      schema: {
        tags,
        summary: 'Put the parts of an upload together',
        params: transferParams,
        body: Type.Object({
          key,
          uploadId,
          parts: Type.Array(
            Type.Object({
              partNumber: Type.Integer({ minimum: 1, maximum: 10_000 }),
              etag: Type.String({ minLength: 1, maxLength: 200 }),
            }),
            { minItems: 1, maxItems: 10_000 },
          ),
        }),
        response: created(Type.Object({ key: text })),
      },
    },
    async (request, reply) => {
      const { key: to, uploadId: id, parts } = request.body
      await uploads.complete(await begun(request, request.params), to, id, parts)
      return reply.code(201).send({ key: to })
    },
  )

  api.post(
    '/transfers/:sourceSystem/:transferId/uploads/abort',
    {
      config,
      schema: {
        tags,
        summary: 'Give up an upload in parts',
        params: transferParams,
        body: Type.Object({ key, uploadId }),
        response: answers(Type.Object({ key: text })),
      },
    },
    async (request) => {
      const { key: to, uploadId: id } = request.body
      await uploads.abort(await begun(request, request.params), to, id)
      return { key: to }
    },
  )

  api.register(async (scope: Api) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    scope.put(
      '/uploads/:token',
      {
        // The token says it all: whose transfer, which key, how many bytes, until when.
        config: { access: 'anyone', streams: true, rateLimit: false },
        schema: {
          tags,
          summary: 'The body of an object, by a link of this service (drop zones in a folder)',
          params: Type.Object({ token: Type.String({ maxLength: 4000 }) }),
          response: created(Type.Object({ received: Type.Boolean() })),
        },
      },
      async (request, reply) => {
        const length = request.headers['content-length']
        await uploads.receive(
          request.params.token,
          (request.body ?? []) as AsyncIterable<Uint8Array>,
          length === undefined ? undefined : Number(length),
        )
        return reply.code(201).send({ received: true })
      },
    )
  })
}
