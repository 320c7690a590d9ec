import { Type } from '@fastify/type-provider-typebox'
import { checkTable } from '../service/check-table.ts'
import { Problem } from '../service/problem.ts'
import type { Api, Routes } from './parts.ts'
import { answers, count, text } from './schemas.ts'

/** What the profile would say of a metadata table, before anything is sent. */
export const metadataRoutes: Routes = (api, { context }) => {
  api.register(async (scope: Api) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      ['text/csv', 'application/octet-stream'],
      (_request, payload, done) => done(null, payload),
    )
    scope.post(
      '/metadata/check',
      {
        config: { access: ['integrator', 'archivist'], streams: true },
        schema: {
          tags: ['Metadata'],
          summary: 'Check a metadata table alone; the body is the CSV file',
          consumes: ['text/csv'],
          response: answers(
            Type.Object({
              rows: count,
              passed: count,
              failed: count,
              profile: Type.Object({ id: text, version: text }),
              findings: Type.Array(
                Type.Object(
                  { code: text, severity: text, sentence: text, howToFix: text },
                  { additionalProperties: true },
                ),
              ),
              findingsTotal: count,
            }),
          ),
        },
      },
      async (request) => {
        if (request.body === undefined || request.body === null)
          throw new Problem(400, 'No table', 'Send the CSV file as the body, as text/csv.')
        const length = Number(request.headers['content-length'] ?? 0)
        if (length > context.config.service.limits.metadataBytes)
          throw new Problem(413, 'Too large', 'The table is larger than is taken here.')
        const checked = await checkTable(context, request.body as AsyncIterable<Uint8Array>)
        return { ...checked, findings: checked.findings.map((finding) => ({ ...finding })) }
      },
    )
  })
}
