import { Type } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { Attempt } from '../model/transfer.ts'
import { decide, requestRecheck, withdraw } from '../run/decisions.ts'
import { audited } from '../service/audit.ts'
import { readConsignment } from '../service/consignment.ts'
import { mayDecide, mayRead } from '../service/principal.ts'
import { notFound, Problem } from '../service/problem.ts'
import { caller } from './access.ts'
import type { Routes } from './parts.ts'
import { describeReport, reportFileParams, sendReportFile } from './report-files.ts'
import {
  answers,
  count,
  cursor,
  day,
  limit,
  oneOf,
  reference,
  reportFiles,
  text,
} from './schemas.ts'

const readers = { access: ['integrator', 'archivist'] } as const
const deciders = { access: ['archivist'] } as const
const tags = ['Consignments']
const params = Type.Object({ reference })
const filter = Type.String({ minLength: 1, maxLength: 300 })

const transferFacts = Type.Object({
  zone: text,
  integrator: text,
  source: text,
  transferId: text,
  transferringBody: Type.Optional(text),
  series: Type.Optional(text),
  contact: Type.Optional(text),
})

const row = Type.Object({
  reference: text,
  attempt: count,
  reportVersion: count,
  state: text,
  decision: Type.Optional(text),
  status: text,
  verdict: Type.Optional(text),
  sentence: Type.Optional(text),
  transfer: transferFacts,
  files: Type.Optional(count),
  bytes: Type.Optional(count),
  findings: Type.Optional(count),
  unchecked: Type.Optional(count),
  since: text,
})

const why = Type.String({ minLength: 1, maxLength: 2000, pattern: '\\S' })

/** Consignments and their reports, for those whose they are, and what archivists decide. */
export const consignmentRoutes: Routes = (api, { context, index }) => {
  const { state, reports } = context
  const zoneStoreOf = ({ transfer }: Attempt) => {
    const store =
      transfer.zone === context.zone.name
        ? context.zoneStore
        : context.otherZones?.get(transfer.zone)
    if (store === undefined)
      throw new Problem(
        409,
        'Not done',
        `The drop zone ${transfer.zone} is no longer in the configuration.`,
      )
    return store
  }

  api.get(
    '/consignments',
    {
      config: readers,
      schema: {
        tags,
        summary: 'Consignments, newest first, by any filter',
        querystring: Type.Object({
          state: Type.Optional(oneOf(['in progress', 'to be decided', 'decided'])),
          decision: Type.Optional(oneOf(['accepted', 'returned', 'withdrawn'])),
          status: Type.Optional(
            oneOf(['InProgress', 'Completed', 'CompletedWithIssues', 'Failed']),
          ),
          verdict: Type.Optional(
            oneOf([
              'READY',
              'READY WITH WARNINGS',
              'NEEDS SENDER',
              'NEEDS ARCHIVIST',
              'NOT PROCESSED',
            ]),
          ),
          transferringBody: Type.Optional(filter),
          series: Type.Optional(filter),
          integrator: Type.Optional(filter),
          source: Type.Optional(filter),
          reference: Type.Optional(reference),
          from: Type.Optional(day),
          to: Type.Optional(day),
          limit: limit(100, 500),
          cursor: Type.Optional(cursor),
        }),
        response: answers(
          Type.Object({ rows: Type.Array(row), total: count, cursor: Type.Optional(text) }),
        ),
      },
    },
    async (request) => {
      const { limit: most, cursor: after, ...wanted } = request.query
      const principal = caller(request)
      const page = index.page(wanted, ({ transfer }) => mayRead(principal, transfer), {
        limit: most,
        scope: JSON.stringify([principal.roles, principal.integrator, principal.bodies]),
        ...(after === undefined ? {} : { cursor: after }),
      })
      return { ...page, rows: [...page.rows] }
    },
  )

  api.get(
    '/consignments/:reference',
    {
      config: readers,
      schema: {
        tags,
        summary: 'One consignment: its newest report and what was decided',
        params,
        response: answers(
          Type.Object({
            reference: text,
            attempt: count,
            transfer: transferFacts,
            verdict: Type.Optional(text),
            status: text,
            sentence: Type.Optional(text),
            report: Type.Optional(reportFiles),
            decisions: Type.Array(
              Type.Object({ kind: text, who: text, when: text, why: text, reportDigest: text }),
            ),
          }),
        ),
      },
    },
    async (request) => {
      const found = await readConsignment(context, request.params.reference, caller(request))
      const { delivered } = found
      return {
        reference: found.reference,
        attempt: found.attempt,
        transfer: found.transfer,
        status: delivered?.status ?? 'InProgress',
        ...(delivered === undefined
          ? {}
          : {
              verdict: delivered.verdict,
              sentence: delivered.sentence,
              report: describeReport(delivered, `/consignments/${found.reference}/report`),
            }),
        decisions: [...found.decisions],
      }
    },
  )

  api.get(
    '/consignments/:reference/report/:digest/:name',
    {
      config: readers,
      schema: {
        tags,
        summary: 'One file of the newest report',
        params: Type.Intersect([params, reportFileParams]),
      },
    },
    async (request, reply) => {
      const found = await readConsignment(context, request.params.reference, caller(request))
      if (found.delivered === undefined) throw notFound('report yet')
      return sendReportFile(reply, reports, found.delivered, request.params)
    },
  )

  /** Record an archivist's action with its reason, then do it. */
  async function act<T>(
    request: FastifyRequest,
    what: 'accept' | 'return' | 'withdraw' | 'recheck',
    to: string,
    reason: string,
    run: (who: { who: string; why: string; now: Date }) => Promise<T>,
  ): Promise<T> {
    const principal = caller(request)
    const { transfer } = await readConsignment(context, to, principal)
    if (!mayDecide(principal, transfer))
      throw new Problem(403, 'Not allowed', 'This is for archivists of its transferring body.')
    const who =
      principal.name === principal.subject
        ? principal.subject
        : `${principal.name} (${principal.subject})`
    const { transferringBody } = transfer
    const result = await audited(
      state,
      context.now,
      {
        who,
        role: 'archivist',
        what,
        to,
        why: reason,
        ...(transferringBody === undefined ? {} : { transferringBody }),
      },
      () => run({ who, why: reason, now: context.now() }),
    )
    index.refresh().catch((error: unknown) => request.log.warn({ error: String(error) }, 'index'))
    return result
  }

  for (const [what, kind] of [
    ['accept', 'accepted'],
    ['return', 'returned'],
  ] as const) {
    api.post(
      `/consignments/:reference/${what}`,
      {
        config: deciders,
        schema: {
          tags,
          summary:
            what === 'accept'
              ? 'Record that the archive accepts a consignment as its report describes it'
              : 'Record that a consignment goes back to its sender',
          params,
          body: Type.Object({
            why,
            reportDigest: Type.String({
              pattern: '^[0-9a-f]{64}$',
              description: 'SHA-256 of the report.json that was read.',
            }),
          }),
          response: answers(
            Type.Object({ kind: text, who: text, when: text, why: text, reportDigest: text }),
          ),
        },
      },
      (request) => {
        const { why: reason, reportDigest } = request.body
        return act(request, what, request.params.reference, reason, (said) =>
          decide(state, reports, zoneStoreOf, {
            kind,
            reference: request.params.reference,
            reportDigest,
            ...said,
          }),
        )
      },
    )
  }

  api.post(
    '/consignments/:reference/withdraw',
    {
      config: deciders,
      schema: {
        tags,
        summary: 'Record that a consignment was sent by mistake; nothing is deleted',
        params,
        body: Type.Object({ why }),
        response: answers(Type.Object({ reference: text, attempt: count })),
      },
    },
    async (request) => {
      const { reference: to } = request.params
      const attempt = await act(request, 'withdraw', to, request.body.why, (said) =>
        withdraw(state, to, said),
      )
      return { reference: to, attempt: attempt.number }
    },
  )

  api.post(
    '/consignments/:reference/recheck',
    {
      config: deciders,
      schema: {
        tags,
        summary: 'Ask for the next report version: of what was unchecked, or of everything',
        params,
        body: Type.Object({ why, everything: Type.Boolean({ default: false }) }),
        response: answers(
          Type.Object({ reference: text, attempt: count, reportVersion: count, chunks: count }),
        ),
      },
    },
    async (request) => {
      const { reference: to } = request.params
      const { why: reason, everything } = request.body
      const asked = await act(request, 'recheck', to, reason, (said) =>
        requestRecheck(state, reports, to, { everything, ...said }),
      )
      return {
        reference: to,
        attempt: asked.attempt.number,
        reportVersion: asked.version,
        chunks: asked.chunks,
      }
    },
  )
}
