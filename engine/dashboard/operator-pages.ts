import type { FastifyInstance } from 'fastify'
import { audited, readAudit, type AuditEntry } from '../service/audit.ts'
import type { Awake } from '../service/context.ts'
import type { Principal } from '../service/principal.ts'
import { Problem } from '../service/problem.ts'
import type { ConsignmentRow } from '../service/consignment-index.ts'
import { readScheduleBook } from '../schedule/schedule-book.ts'
import { recordPause } from '../schedule/slot-ledger.ts'
import type { PageTools } from './page-tools.ts'
import { pageRoute } from './options.ts'
import { progressWords } from './progress.ts'

const isOperator = ({ roles }: Principal) => roles.includes('operator')
const IN_HAND_SHOWN = 20
const AUDIT_DAYS = 31
const AUDIT_SHOWN = 500

/** What operators see: states, counts and times, and no path, title or metadata value. */
export function operatorPages(app: FastifyInstance, tools: PageTools): void {
  const { context, index, transfers } = tools
  const { state, config } = context

  app.get('/', pageRoute, async (request, reply) => {
    const { principal } = await tools.signedIn(request)
    if (!isOperator(principal))
      return reply.redirect(
        principal.roles.includes('archivist') ? '/pages/consignments' : '/pages/transfers',
      )
    const now = context.now()
    await tools.refresh()
    const { rows } = index.page({ state: 'in progress' }, () => true, { limit: IN_HAND_SHOWN })
    return tools.show(request, reply, 'overview', {
      title: 'Overview',
      live: true,
      awake: awakeWords(context.awake(), now),
      board: await tools.board?.(),
      waiting: await tools.waiting(),
      counts: index.counts(),
      inHand: await Promise.all(rows.map((row) => inHand(row, principal))),
    })
  })

  async function inHand(row: ConsignmentRow, principal: Principal) {
    const status = await transfers.status(row.transfer)
    return {
      reference: row.reference,
      since: row.since,
      progress: progressWords(status),
      ...(principal.roles.includes('archivist')
        ? { href: `/pages/consignments/${row.reference}` }
        : {}),
    }
  }

  app.get<{ Querystring: { done?: string } }>(
    '/pages/schedules',
    pageRoute,
    async (request, reply) => {
      await tools.signedIn(request, isOperator)
      return tools.show(request, reply, 'schedules', {
        title: 'Schedules',
        book: await readScheduleBook(state, config.schedules, context.now()),
        mayRun: tools.runSchedule !== undefined,
        done: doneWords[request.query.done ?? ''],
      })
    },
  )

  app.post<{ Params: { name: string } }>(
    '/pages/schedules/:name',
    pageRoute,
    async (request, reply) => {
      const session = await tools.signedIn(request, isOperator)
      const fields = tools.form(request, session)
      const schedule = config.schedules.find(({ name }) => name === request.params.name)
      if (schedule === undefined)
        throw new Problem(404, 'No such schedule', 'It is not in the configuration any more.')
      const what = fields['do'] ?? ''
      const why = (fields['why'] ?? '').trim()
      if (!(what in doneWords)) throw new Problem(400, 'Not understood', 'Use one of the buttons.')
      if (why === '') {
        return tools.show(request, reply.code(400), 'schedules', {
          title: 'Schedules',
          book: await readScheduleBook(state, config.schedules, context.now()),
          mayRun: tools.runSchedule !== undefined,
          problem: 'Say why: it is kept in the audit log.',
        })
      }
      const who = session.principal.name
      await audited(
        state,
        context.now,
        {
          who: session.principal.subject,
          role: 'operator',
          what: `schedule.${what}`,
          to: schedule.name,
          why,
        },
        async () => {
          if (what !== 'run') {
            const at = context.now().toISOString()
            await recordPause(state, schedule.name, { paused: what === 'pause', who, why, at })
          } else if (tools.runSchedule === undefined)
            throw new Problem(
              409,
              'Not here',
              'The tasks that work are other processes; see `wharfinger schedule run`.',
            )
          else await tools.runSchedule(schedule)
        },
      )
      return reply.redirect(`/pages/schedules?done=${what}`)
    },
  )

  app.get('/pages/audit', pageRoute, async (request, reply) => {
    const { principal } = await tools.signedIn(
      request,
      ({ roles }) => roles.includes('operator') || roles.includes('archivist'),
    )
    const from = new Date(context.now().getTime() - AUDIT_DAYS * 86_400_000)
    const entries: AuditEntry[] = []
    for await (const { entry } of readAudit(state, { from: from.toISOString().slice(0, 10) })) {
      if (!mayReadEntry(principal, entry)) continue
      entries.push(entry)
      if (entries.length > AUDIT_SHOWN) entries.shift()
    }
    return tools.show(request, reply, 'audit', { title: 'Audit log', entries: entries.reverse() })
  })
}

const doneWords: Readonly<Record<string, string>> = {
  pause: 'The schedule is paused.',
  resume: 'The schedule rings again.',
  run: 'The schedule was rung.',
}

/** Operators read what operators did; archivists what was decided about their bodies. */
function mayReadEntry(principal: Principal, entry: AuditEntry): boolean {
  if (principal.roles.includes(entry.role) && entry.role === 'operator') return true
  if (!principal.roles.includes('archivist') || entry.role !== 'archivist') return false
  return (
    principal.bodies === 'all' ||
    (entry.transferringBody !== undefined && principal.bodies.includes(entry.transferringBody))
  )
}

function awakeWords({ state, until }: Awake, now: Date) {
  return {
    state,
    word: state.toUpperCase(),
    change: state === 'open' ? 'The service goes to sleep' : 'Work starts again',
    ...(until === undefined ? {} : { until, left: until.getTime() - now.getTime() }),
  }
}
