import { Readable } from 'node:stream'
import { Type } from '@fastify/type-provider-typebox'
import { exportAudit, readAudit, type AuditEntry, type AuditRange } from '../service/audit.ts'
import type { Principal } from '../service/principal.ts'
import { caller } from './access.ts'
import type { Routes } from './parts.ts'
import { answers, cursor, day, limit, oneOf, text } from './schemas.ts'

const config = { access: ['archivist', 'operator'] } as const
const tags = ['Audit']
const range = { from: Type.Optional(day), to: Type.Optional(day) }

/** What operators and archivists did: to read, and to take away. */
export const auditRoutes: Routes = (api, { context }) => {
  api.get(
    '/audit',
    {
      config,
      schema: {
        tags,
        summary: 'Who did what, when and why, oldest first',
        querystring: Type.Object({
          ...range,
          limit: limit(100, 1000),
          cursor: Type.Optional(cursor),
        }),
        response: answers(
          Type.Object({
            entries: Type.Array(
              Type.Object({
                id: text,
                when: text,
                who: text,
                role: text,
                what: text,
                to: text,
                why: text,
                outcome: text,
                asked: Type.Optional(text),
                detail: Type.Optional(text),
                transferringBody: Type.Optional(text),
              }),
            ),
            cursor: Type.Optional(text),
          }),
        ),
      },
    },
    async (request) => {
      const { limit: most, cursor: after, from, to } = request.query
      const principal = caller(request)
      const entries: AuditEntry[] = []
      let last: string | undefined
      for await (const { key, entry } of readAudit(context.state, rangeOf(from, to, after))) {
        const seen = asSeenBy(principal, entry)
        if (seen === undefined) continue
        if (entries.length === most && last !== undefined) return { entries, cursor: last }
        entries.push(seen)
        last = key
      }
      return { entries }
    },
  )

  api.get(
    '/audit/export',
    {
      config,
      schema: {
        tags,
        summary: 'The same as a file, CSV or JSON lines',
        querystring: Type.Object({
          ...range,
          format: Type.Unsafe<'csv' | 'jsonl'>({ ...oneOf(['csv', 'jsonl']), default: 'csv' }),
        }),
      },
    },
    (request, reply) => {
      const { from, to, format } = request.query
      const principal = caller(request)
      const seen = async function* () {
        for await (const { entry } of readAudit(context.state, rangeOf(from, to))) {
          const one = asSeenBy(principal, entry)
          if (one !== undefined) yield one
        }
      }
      return reply
        .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
        .header('content-disposition', `attachment; filename="audit.${format}"`)
        .send(Readable.from(exportAudit(seen(), format)))
    },
  )
}

function rangeOf(from?: string, to?: string, after?: string): AuditRange {
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(after === undefined ? {} : { after }),
  }
}

/**
 * Archivists see what concerns their bodies, and schedules. Operators see everything that was done,
 * but no archivist's words: those may quote titles and paths.
 */
function asSeenBy(principal: Principal, entry: AuditEntry): AuditEntry | undefined {
  const { transferringBody, role } = entry
  const archivists =
    principal.roles.includes('archivist') &&
    (principal.bodies === 'all' ||
      role === 'operator' ||
      (transferringBody !== undefined && principal.bodies.includes(transferringBody)))
  if (archivists) return entry
  if (!principal.roles.includes('operator')) return undefined
  if (role === 'operator') return entry
  const { detail: _words, ...rest } = entry
  return { ...rest, why: '' }
}
