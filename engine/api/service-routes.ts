import { Type } from '@fastify/type-provider-typebox'
import type { Registry } from 'prom-client'
import { workNote } from '../service/context.ts'
import { ENGINE_VERSION } from '../version.ts'
import { describeApi } from './docs-page.ts'
import type { Routes } from './parts.ts'
import { answers, count, text, work } from './schemas.ts'

const tags = ['Service']
const open = { access: 'anyone', rateLimit: false } as const

/** Health, numbers and the description of the API itself. */
export function serviceRoutes(registry: Registry, isReady: () => boolean): Routes {
  return (api, { context, index, draining }) => {
    for (const url of ['/healthz', '/healthcheck'])
      api.get(
        url,
        { config: open, schema: { tags, summary: 'Whether the process lives' } },
        (_request, reply) => reply.type('text/plain').send('Healthy'),
      )

    api.get(
      '/readyz',
      { config: open, schema: { tags, summary: 'Whether requests should be sent here' } },
      (_request, reply) => {
        const ready = !draining.signal.aborted && isReady()
        return reply
          .code(ready ? 200 : 503)
          .type('text/plain')
          .send(ready ? 'Ready' : 'Not ready')
      },
    )

    api.get(
      '/metrics',
      {
        config: { access: ['operator'], rateLimit: false },
        schema: { tags, summary: 'Numbers for Prometheus' },
      },
      async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
    )

    api.get(
      '/service',
      {
        config: { access: ['integrator', 'archivist', 'operator'] },
        schema: {
          tags,
          summary: 'Whether work is done now, and when it starts again',
          response: answers(Type.Object({ version: text, work })),
        },
      },
      () => Promise.resolve({ version: ENGINE_VERSION, work: workNote(context.awake()) }),
    )

    api.get(
      '/counts',
      {
        config: { access: ['archivist', 'operator'] },
        schema: {
          tags,
          summary: 'How many consignments there are, by state and verdict',
          response: answers(
            Type.Object({
              inProgress: count,
              toBeDecided: count,
              decided: count,
              verdicts: Type.Record(Type.String(), count),
              files: count,
              bytes: count,
            }),
          ),
        },
      },
      () => Promise.resolve(index.counts()),
    )

    api.get('/openapi.json', { config: open, schema: { hide: true } }, (_request, reply) =>
      reply.send(api.swagger()),
    )

    api.get(
      '/docs',
      {
        config: open,
        schema: { hide: true },
        helmet: {
          contentSecurityPolicy: {
            directives: { defaultSrc: ["'none'"], styleSrc: ["'unsafe-inline'"] },
          },
        },
      },
      (_request, reply) => reply.type('text/html; charset=utf-8').send(describeApi(api.swagger())),
    )
  }
}
