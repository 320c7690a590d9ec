import type { FastifyInstance } from 'fastify'
import { codes, type FindingCode } from '../model/codes.ts'
import type { Verdict } from '../model/outcome.ts'
import { decide, newestAttempt, readDecisions, Refusal, reportDigest } from '../run/decisions.ts'
import { readDelivered, type Delivered } from '../run/deliver.ts'
import { currentVersion } from '../run/process.ts'
import { attemptClaimKey } from '../run/state-layout.ts'
import { readStateIfThere } from '../run/create-once.ts'
import type { TransferAddress } from '../model/transfer.ts'
import { audited } from '../service/audit.ts'
import type {
  ConsignmentFilter,
  ConsignmentRow,
  ConsignmentState,
} from '../service/consignment-index.ts'
import { mayDecide, mayRead, type Principal } from '../service/principal.ts'
import { notFound } from '../service/problem.ts'
import type { PageTools } from './page-tools.ts'
import { pageRoute } from './options.ts'
import { progressWords, stepWords } from './progress.ts'

const PAGE = 50
const LIVE_MS = 1000
const STATES: readonly ConsignmentState[] = ['in progress', 'to be decided', 'decided']
const VERDICTS: readonly Verdict[] = [
  'READY',
  'READY WITH WARNINGS',
  'NEEDS SENDER',
  'NEEDS ARCHIVIST',
  'NOT PROCESSED',
]
/** What a browser shows itself; everything else is saved. */
const TYPES: Readonly<Record<string, string>> = {
  'report.html': 'text/html; charset=utf-8',
  'report.json': 'application/json; charset=utf-8',
  'findings.csv': 'text/csv; charset=utf-8',
  'files.csv': 'text/csv; charset=utf-8',
  'draft-metadata-errors.json': 'application/json; charset=utf-8',
}
/** A report has its own styles inside, no script, and comes from what senders wrote. */
const REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-same-origin"

type ListQuery = Readonly<Record<string, string | undefined>>

/** Consignments for archivists, transfers for their integrators: the list, one, and its report. */
export function consignmentPages(app: FastifyInstance, tools: PageTools): void {
  const { context, index, transfers } = tools
  const { state, reports } = context

  for (const [path, title, role] of [
    ['/pages/consignments', 'Consignments', 'archivist'],
    ['/pages/transfers', 'Your transfers', 'integrator'],
  ] as const) {
    app.get<{ Querystring: ListQuery }>(path, pageRoute, async (request, reply) => {
      const { principal } = await tools.signedIn(request, ({ roles }) => roles.includes(role))
      await tools.refresh()
      const filter = filterOf(request.query)
      const mine = (row: ConsignmentRow) =>
        role === 'archivist'
          ? mayDecide(principal, row.transfer)
          : row.transfer.integrator === principal.integrator
      const { cursor } = request.query
      const page = index.page(filter, mine, {
        limit: PAGE,
        ...(cursor === undefined ? {} : { cursor }),
      })
      return tools.show(request, reply, 'consignments', {
        title,
        live: true,
        noun: role === 'archivist' ? ['consignment', 'consignments'] : ['transfer', 'transfers'],
        landed:
          role === 'integrator' && principal.integrator !== undefined && cursor === undefined
            ? await tools.waitingOf(principal.integrator)
            : [],
        awake: context.awake(),
        page,
        filter,
        states: choices(STATES, filter.state),
        verdicts: choices(VERDICTS, filter.verdict),
        next: page.cursor === undefined ? undefined : nextHref(path, request.query, page.cursor),
        empty:
          Object.keys(filter).length > 0
            ? 'No consignment is like that. Leave a field empty to see more.'
            : role === 'archivist'
              ? 'No consignment has arrived yet. One appears here as soon as a complete transfer was taken.'
              : 'You have sent nothing yet. `wharfinger push` sends a folder; the API is described under API below.',
      })
    })
  }

  async function find(reference: string, principal: Principal): Promise<ConsignmentRow> {
    await tools.refresh()
    const row = index.find(reference)
    if (row === undefined || !mayRead(principal, row.transfer))
      throw notFound(`consignment ${reference}`)
    return row
  }

  type One = { Params: { reference: string }; Querystring: { done?: string } }

  app.get<One>('/pages/consignments/:reference', pageRoute, async (request, reply) => {
    const { principal } = await tools.signedIn(request)
    const row = await find(request.params.reference, principal)
    return tools.show(request, reply, 'consignment', {
      ...(await describe(row, principal)),
      done: request.query.done === undefined ? undefined : 'Your decision is recorded.',
    })
  })

  async function describe(found: ConsignmentRow, principal: Principal) {
    const { reference, transfer } = found
    const all = await deliveredOf(reference)
    const newest = all.at(-1)
    const counted = [
      ...new Set(all.flatMap(({ counts }) => counts.findings.map(({ code }) => code))),
    ]
    const facts = [
      ['Transferring body', transfer.transferringBody],
      ['Series', transfer.series],
      ['Sent by', `${transfer.integrator}, ${transfer.source}`],
      ['Transfer', transfer.transferId],
      ['Contact', transfer.contact],
    ] as const
    const attempt = await newestAttempt(state, reference)
    const decisions = await readDecisions(state, attempt)
    const status = await transfers.status(attempt.transfer)
    // The page reloads itself when there is a report, which may be before the list knows of it.
    if (status.processed && found.state === 'in progress') await index.refresh()
    const row = index.find(reference) ?? found
    return {
      title: reference,
      live: !status.processed,
      back: principal.roles.includes('archivist')
        ? { href: '/pages/consignments', text: 'All consignments' }
        : { href: '/pages/transfers', text: 'Your transfers' },
      toFix: newest === undefined ? [] : toFix(newest),
      transferId: newest?.transfer.transferId,
      row,
      status,
      facts: facts.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
      attempts: all.map((delivered) => ({
        attempt: delivered.attempt,
        version: delivered.reportVersion,
        verdict: delivered.verdict,
        deliveredAt: delivered.deliveredAt,
        files: delivered.counts.files,
        bytes: delivered.counts.bytes,
        reportFiles: delivered.files.map(({ name }) => ({
          name,
          href: `/pages/consignments/${reference}/reports/${delivered.attempt}/${delivered.reportVersion}/${name}`,
        })),
      })),
      findings: counted.sort().map((code) => ({
        code,
        sentence: sentenceOf(code),
        counts: all.map(
          ({ counts }) => counts.findings.find((one) => one.code === code)?.count ?? 0,
        ),
      })),
      decision: decisions.at(-1) ?? status.decision,
      mayDecide: newest !== undefined && mayDecide(principal, transfer),
      reportDigest: newest === undefined ? '' : reportDigest(newest),
    }
  }

  /** The newest report of every attempt, in order. */
  async function deliveredOf(reference: string): Promise<Delivered[]> {
    const all: Delivered[] = []
    for (let number = 1; ; number++) {
      const transfer = await readStateIfThere<TransferAddress>(
        state,
        attemptClaimKey(reference, number),
      )
      if (transfer === undefined) return all
      const attempt = { reference, number, transfer }
      for (let version = await currentVersion(state, attempt); version >= 1; version--) {
        const delivered = await readDelivered(reports, attempt, version)
        if (delivered === undefined) continue
        all.push(delivered)
        break
      }
    }
  }

  app.post<One>('/pages/consignments/:reference/decision', pageRoute, async (request, reply) => {
    const session = await tools.signedIn(request, ({ roles }) => roles.includes('archivist'))
    const fields = tools.form(request, session)
    const { principal } = session
    const row = await find(request.params.reference, principal)
    if (!mayDecide(principal, row.transfer)) throw notFound(`consignment ${row.reference}`)
    const kind = fields['kind']
    const why = (fields['why'] ?? '').trim()
    const again = async (problem: string) =>
      tools.show(request, reply.code(400), 'consignment', {
        ...(await describe(row, principal)),
        problem,
      })
    if (kind !== 'accepted' && kind !== 'returned')
      return again('Choose to accept or to return it.')
    if (why === '') return again('Say why: the reason is recorded with the decision.')
    const { transferringBody } = row.transfer
    try {
      await audited(
        state,
        context.now,
        {
          who: principal.subject,
          role: 'archivist',
          what: kind === 'accepted' ? 'accept' : 'return',
          to: row.reference,
          why,
          ...(transferringBody === undefined ? {} : { transferringBody }),
        },
        () =>
          decide(state, reports, () => context.zoneStore, {
            kind,
            reference: row.reference,
            who: principal.name,
            why,
            reportDigest: fields['report'] ?? '',
            now: context.now(),
          }),
      )
    } catch (error) {
      if (error instanceof Refusal) return again(`${error.message}.`)
      throw error
    }
    return reply.redirect(`/pages/consignments/${encodeURIComponent(row.reference)}?done=decision`)
  })

  app.get<{ Params: { reference: string; attempt: string; version: string; name: string } }>(
    '/pages/consignments/:reference/reports/:attempt/:version/:name',
    pageRoute,
    async (request, reply) => {
      const { principal } = await tools.signedIn(request)
      const { reference, attempt, version, name } = request.params
      await find(reference, principal)
      const delivered = (await deliveredOf(reference)).find(
        (one) => String(one.attempt) === attempt && String(one.reportVersion) === version,
      )
      const file = delivered?.files.find((one) => one.name === name)
      const type = TYPES[name]
      if (file === undefined || type === undefined) throw notFound('such file of a report')
      reply.type(type).header('etag', `"${file.sha256}"`).header('content-length', file.sizeBytes)
      if (name === 'report.html') reply.header('content-security-policy', REPORT_POLICY)
      else reply.header('content-disposition', `attachment; filename="${reference}-${name}"`)
      const { Readable } = await import('node:stream')
      return reply.send(Readable.from(reports.stream(file.key)))
    },
  )

  app.get<One>('/pages/live/:reference', pageRoute, async (request, reply) => {
    const { principal } = await tools.signedIn(request)
    await tools.refresh()
    const row = index.find(request.params.reference)
    // Operators see progress in numbers; what it is about is not theirs.
    const may = principal.roles.includes('operator') || (row && mayRead(principal, row.transfer))
    if (row === undefined || may !== true) throw notFound('such consignment')
    const { transfer } = await newestAttempt(state, row.reference)
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    while (!raw.destroyed) {
      const status = await transfers.status(transfer)
      const data = {
        text: progressWords(status),
        steps: status.steps.map((step) => ({ words: stepWords(step), state: step.state })),
        ended: status.processed,
      }
      raw.write(`event: progress\ndata: ${JSON.stringify(data)}\n\n`)
      if (status.processed) break
      await new Promise((resolve) => setTimeout(resolve, LIVE_MS))
    }
    raw.end()
  })
}

/** What the sender has to do about the newest report, gravest first. */
function toFix({ counts }: Delivered) {
  return counts.findings
    .map(({ code, count }) => ({ count, ...codes[code] }))
    .filter(({ actor }) => actor === 'sender')
    .sort((a, b) => (a.severity === b.severity ? 0 : a.severity === 'error' ? -1 : 1))
    .map(({ count, sentence, howToFix, severity }) => ({ count, sentence, howToFix, severity }))
}

function sentenceOf(code: FindingCode): string {
  return codes[code].sentence
}

function filterOf(query: ListQuery): ConsignmentFilter {
  const text = (name: string) => {
    const value = query[name]
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
  }
  const state = STATES.find((one) => one === text('state'))
  const verdict = VERDICTS.find((one) => one === text('verdict'))
  const day = (name: string) => {
    const value = text(name)
    return value !== undefined && /^\d{4}-\d\d-\d\d$/.test(value) ? value : undefined
  }
  const wanted = {
    state,
    verdict,
    reference: text('reference'),
    transferringBody: text('body'),
    series: text('series'),
    from: day('from'),
    to: day('to'),
  }
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
}

function choices(names: readonly string[], chosen: string | undefined) {
  return [
    { value: '', text: 'any' },
    ...names.map((name) => ({ value: name, text: name, selected: name === chosen })),
  ]
}

function nextHref(path: string, query: ListQuery, cursor: string): string {
  const next = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...query, cursor }))
    if (typeof value === 'string' && value !== '') next.set(name, value)
  return `${path}?${next.toString()}`
}
