import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { suite } from 'uvu'
import { makeLab, LAB_NOW, type Lab } from '../../fixtures/lab.ts'
import { createCheckPool } from '../pool/pool.ts'
import { readDecisions, newestAttempt } from '../run/decisions.ts'
import { readPause } from '../schedule/slot-ledger.ts'
import { readAudit } from '../service/audit.ts'
import { ConsignmentIndex } from '../service/consignment-index.ts'
import type { Principal } from '../service/principal.ts'
import { TransferReader } from '../service/transfer-status.ts'
import { registerDashboard } from './dashboard.ts'
import { SESSION_COOKIE, Sessions } from './session.ts'

const test = suite('dashboard')
const pool = createCheckPool({ threads: 1 })
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-dashboard-'))
const stylesheet = join(folder, 'dashboard.css')
writeFileSync(stylesheet, 'body{}')
test.after(async () => {
  await pool.stop()
  rmSync(folder, { recursive: true })
})

const people = {
  operator: { subject: 'op', name: 'An operator', roles: ['operator'], bodies: [] },
  archivist: {
    subject: 'ar',
    name: 'An archivist',
    roles: ['archivist'],
    bodies: ['Harbour Office'],
  },
  stranger: { subject: 'st', name: 'Another archivist', roles: ['archivist'], bodies: ['Mint'] },
  sender: {
    subject: 'se',
    name: 'A sender',
    roles: ['integrator'],
    integrator: 'office',
    bodies: [],
  },
  other: {
    subject: 'ot',
    name: 'Another sender',
    roles: ['integrator'],
    integrator: 'mill',
    bodies: [],
  },
} as const satisfies Record<string, Principal>

type Desk = {
  readonly lab: Lab
  readonly app: FastifyInstance
  readonly get: (
    who: keyof typeof people | undefined,
    url: string,
  ) => ReturnType<FastifyInstance['inject']>
  readonly post: (
    who: keyof typeof people,
    url: string,
    fields: Record<string, string>,
    formToken?: string,
  ) => ReturnType<FastifyInstance['inject']>
  readonly rung: string[]
}

async function openDesk(): Promise<Desk> {
  const lab = makeLab({ pool, yaml: 'schedules: [{ name: mornings, cron: "0 7 * * *" }]' })
  const context = {
    config: lab.engine.config,
    zone: lab.zone,
    zoneStore: lab.zoneStore,
    state: lab.engine.state,
    reports: lab.engine.reports,
    now: () => LAB_NOW,
    awake: () => ({ state: 'asleep' as const, until: new Date('2026-11-30T07:00:00Z') }),
  }
  const sessions = new Sessions(() => LAB_NOW)
  const app = Fastify()
  const rung: string[] = []
  await registerDashboard(app, {
    context,
    index: new ConsignmentIndex(lab.engine.state, ['lab']),
    transfers: new TransferReader(context),
    sessions,
    signIn: {
      kind: 'token',
      accept: (token) => (token === 'printed' ? people.operator : undefined),
    },
    timeZone: 'Europe/London',
    secure: false,
    stylesheet,
    runSchedule: ({ name }) => {
      rung.push(name)
      return Promise.resolve()
    },
  })
  const cookieOf = async (who: keyof typeof people | undefined) =>
    who === undefined ? {} : { cookie: `${SESSION_COOKIE}=${await sessions.begin(people[who])}` }
  return {
    lab,
    app,
    rung,
    get: (async (who: keyof typeof people | undefined, url: string) =>
      app.inject({ url, headers: await cookieOf(who) })) as Desk['get'],
    post: (async (
      who: keyof typeof people,
      url: string,
      fields: Record<string, string>,
      formToken?: string,
    ) => {
      const headers = await cookieOf(who)
      const session = await sessions.read(headers.cookie?.slice(SESSION_COOKIE.length + 1))
      const payload = new URLSearchParams({
        ...fields,
        formToken: formToken ?? session?.formToken ?? '',
      })
      return app.inject({
        method: 'POST',
        url,
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        payload: payload.toString(),
      })
    }) as Desk['post'],
  }
}

async function deliverOne(lab: Lab): Promise<string> {
  const transfer = lab.land(
    't1',
    {
      'records/<img src=x onerror=alert(1)>.txt': 'a',
      'metadata/m.sha256': `${'0'.repeat(64)}  gone.txt\n`,
    },
    { transferringBody: 'Harbour Office', series: '<script>alert(2)</script>' },
  )
  return (await lab.deliver(transfer)).reference
}

/** Digest of the report that a page shows, as its form sends it. */
function reportShown(page: string): string {
  return /name="report" value="([0-9a-f]{64})"/.exec(page)?.[1] ?? ''
}

/** Every page, and who may see it. */
function pagesAbout(reference: string): Readonly<Record<string, readonly (keyof typeof people)[]>> {
  return {
    '/': ['operator'],
    '/pages/schedules': ['operator'],
    '/pages/consignments': ['archivist', 'stranger'],
    '/pages/transfers': ['sender', 'other'],
    '/pages/audit': ['operator', 'archivist', 'stranger'],
    [`/pages/consignments/${reference}`]: ['archivist', 'sender'],
    [`/pages/consignments/${reference}/reports/1/1/report.html`]: ['archivist', 'sender'],
    [`/pages/live/${reference}`]: ['operator', 'archivist', 'sender'],
  }
}

test('nobody sees a page without signing in, and each role only its own', async () => {
  const { lab, app, get } = await openDesk()
  const reference = await deliverOne(lab)
  const pages = pagesAbout(reference)
  for (const [url, allowed] of Object.entries(pages)) {
    assert.equal((await get(undefined, url)).headers.location, '/sign-in', url)
    for (const who of Object.keys(people) as (keyof typeof people)[]) {
      const { statusCode } = await get(who, url)
      const may = allowed.includes(who)
      assert.equal(statusCode === 200, may, `${who} ${url}: ${statusCode}`)
      assert.ok(may || [302, 403, 404].includes(statusCode))
    }
  }
  await app.close()
  await lab.close()
})

test('lists show a consignment to whom it concerns, and what a sender wrote stays text', async () => {
  const { lab, app, get, post } = await openDesk()
  const reference = await deliverOne(lab)
  lab.land('t2', { 'records/b.txt': 'b' })
  assert.ok((await get('archivist', '/pages/consignments')).body.includes(reference))
  assert.ok(!(await get('stranger', '/pages/consignments')).body.includes(reference))
  assert.ok((await get('sender', '/pages/transfers')).body.includes(reference))
  assert.ok(!(await get('other', '/pages/transfers')).body.includes(reference))
  const toFix = (await get('sender', `/pages/consignments/${reference}`)).body
  assert.match(toFix, /What you have to fix[^]*take it off the list[^]*corrects/)
  assert.match(toFix, /govuk-back-link" href="\/pages\/transfers"/)
  assert.match((await get('sender', '/pages/transfers')).body, /not taken yet[^]*t2 \(/)
  assert.ok(!(await get('other', '/pages/transfers')).body.includes('t2 ('))
  const own = (await get('archivist', `/pages/consignments/${reference}`)).body
  const why = '<script>alert(1)</script>'
  const report = reportShown(own)
  await post('archivist', `/pages/consignments/${reference}/decision`, {
    kind: 'returned',
    why,
    report,
  })
  for (const [url, allowed] of Object.entries(pagesAbout(reference)))
    for (const who of allowed) {
      const { statusCode, body, headers } = await get(who, url)
      assert.equal(statusCode, 200, `${who} ${url}`)
      if (!String(headers['content-type']).startsWith('text/html')) continue
      assert.ok(!body.includes('<script>alert') && !body.includes('<img src=x'), `${who} ${url}`)
      const policy = String(headers['content-security-policy'])
      assert.match(policy, /script-src 'self'|default-src 'none'/, url)
    }
  const overview = (await get('operator', '/')).body
  assert.match(overview, /ASLEEP/)
  assert.match(overview, /Work starts again in 5 days 22 hours/)
  assert.ok(!overview.includes('Harbour Office'), 'operators see counts, not whose records')
  assert.match(
    (await get('archivist', '/pages/consignments?verdict=READY')).body,
    /No consignment is like that/,
  )
  await app.close()
  await lab.close()
})

test('an archivist accepts or returns once, with a reason, from our own page, on the record', async () => {
  const { lab, app, get, post } = await openDesk()
  const reference = await deliverOne(lab)
  const url = `/pages/consignments/${reference}/decision`
  const page = (await get('archivist', `/pages/consignments/${reference}`)).body
  const report = reportShown(page)
  const returned = { kind: 'returned', why: 'A file is missing', report }
  assert.equal((await post('archivist', url, returned, 'forged')).statusCode, 403)
  assert.equal((await post('sender', url, returned)).statusCode, 403)
  assert.equal((await post('stranger', url, returned)).statusCode, 404)
  assert.match((await post('archivist', url, { ...returned, why: ' ' })).body, /Say why/)
  assert.match((await post('archivist', url, { why: 'x' })).body, /Choose to accept or to return/)
  assert.equal((await post('archivist', url, returned)).statusCode, 302)
  assert.match(
    (await post('archivist', url, returned)).body,
    /was already returned by An archivist/,
  )
  const attempt = await newestAttempt(lab.engine.state, reference)
  const [decision, ...more] = await readDecisions(lab.engine.state, attempt)
  assert.deepEqual(
    [decision?.who, decision?.why, more.length],
    ['An archivist', 'A file is missing', 0],
  )
  const outcomes: string[] = []
  for await (const { entry } of readAudit(lab.engine.state))
    outcomes.push(`${entry.what} ${entry.outcome}`)
  assert.deepEqual(outcomes.sort(), [
    'return asked',
    'return asked',
    'return done',
    'return refused',
  ])
  assert.match((await get('archivist', '/pages/audit')).body, /A file is missing/)
  assert.ok(!(await get('operator', '/pages/audit')).body.includes('A file is missing'))
  await app.close()
  await lab.close()
})

test('an operator pauses, resumes and rings a schedule, and has to say why', async () => {
  const { lab, app, get, post, rung } = await openDesk()
  const url = '/pages/schedules/mornings'
  assert.match((await get('operator', '/pages/schedules')).body, /At 07:00/)
  assert.match((await post('operator', url, { do: 'pause', why: '' })).body, /Say why/)
  assert.equal((await post('operator', url, { do: 'pause', why: 'a move' })).statusCode, 302)
  assert.equal((await readPause(lab.engine.state, 'mornings'))?.paused, true)
  assert.match(
    (await get('operator', '/pages/schedules?done=pause')).body,
    /The schedule is paused\./,
  )
  assert.equal((await post('operator', url, { do: 'resume', why: 'moved' })).statusCode, 302)
  assert.equal((await readPause(lab.engine.state, 'mornings'))?.paused, false)
  assert.equal((await post('operator', url, { do: 'run', why: 'now' })).statusCode, 302)
  assert.deepEqual(rung, ['mornings'])
  assert.equal((await post('archivist', url, { do: 'run', why: 'now' })).statusCode, 403)
  assert.equal(
    (await post('operator', '/pages/schedules/evenings', { do: 'run', why: 'x' })).statusCode,
    404,
  )
  await app.close()
  await lab.close()
})

test('the printed token signs in, another one does not, and a cookie of somebody else is none', async () => {
  const { lab, app } = await openDesk()
  const right = await app.inject('/sign-in?token=printed')
  assert.equal(right.statusCode, 302)
  assert.match(String(right.headers['set-cookie']), /HttpOnly; SameSite=Lax/)
  assert.equal((await app.inject('/sign-in?token=guess')).statusCode, 403)
  const foreign = await new Sessions(() => LAB_NOW).begin(people.operator)
  const answer = await app.inject({ url: '/', headers: { cookie: `${SESSION_COOKIE}=${foreign}` } })
  assert.equal(answer.headers.location, '/sign-in')
  const old = new Sessions(() => LAB_NOW, Buffer.alloc(32, 1))
  const late = new Sessions(() => new Date(LAB_NOW.getTime() + 9 * 3_600_000), Buffer.alloc(32, 1))
  assert.equal(await late.read(await old.begin(people.operator)), undefined)
  await app.close()
  await lab.close()
})

test('no path leads out of what is served', async () => {
  const { lab, app, get } = await openDesk()
  const reference = await deliverOne(lab)
  for (const url of [
    '/assets/..%2fdashboard.ts',
    '/assets/../package.json',
    `/pages/consignments/${reference}/reports/1/1/..%2f..%2fdelivered.json`,
    `/pages/consignments/${reference}/reports/1/1/delivered.json`,
    '/pages/consignments/..%2f..%2fetc',
  ]) {
    const { statusCode } = await get('archivist', url)
    assert.equal(statusCode, 404, url)
  }
  assert.ok(existsSync(stylesheet))
  await app.close()
  await lab.close()
})

test.run()
