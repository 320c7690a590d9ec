import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { Validator } from '@seriousme/openapi-schema-validator'
import { suite } from 'uvu'
import { makeServiceLab, type CallOptions, type Who } from '../../fixtures/service-lab.ts'
import { reportDigest } from '../run/decisions.ts'

const test = suite('who may do what, over HTTP')

const lab = await makeServiceLab({
  service: '  origins: ["https://contoso.sharepoint.com"]\n  metadataMb: 1',
  bodyMs: 300,
  headersMs: 500,
  plugins: [
    (api) => {
      api.get('/joined', { config: { access: ['operator'] } }, () => Promise.resolve({ ok: true }))
    },
  ],
})

const begun = await lab.call('office', 'POST', '/load/sharepoint/initiate')
const transferId: string = begun.body.transferId
const own = `/transfers/sharepoint/${transferId}`
const offer = await lab.call('office', 'POST', `${own}/uploads`, {
  json: { key: 'records/a.txt', sizeBytes: 5 },
})
const link = new URL(offer.body.url).pathname
const finished = await lab.deliver(
  lab.lab.land('t1', { 'records/a.txt': 'a' }, { transferringBody: 'MOCK1' }),
)
await lab.index.refresh()
const { reference } = finished
const reportJson = finished.files.find(({ name }) => name === 'report.json')
const digest = reportJson?.sha256.slice(0, 16) ?? ''
const decision = { why: 'as listed', reportDigest: 'f'.repeat(64) }
const completion = { expectedNumberFiles: 1, loadedNumberFiles: 1, loadErrors: [] }

type Row = {
  readonly as?: string
  readonly more?: CallOptions
  /** Status for each caller; undefined is nobody. Owners come last, so that they change nothing before. */
  readonly is: Readonly<Record<Who | 'nobody', number>>
}
const everybody = (status: number) => ({
  nobody: status,
  other: status,
  archivist: status,
  elsewhere: status,
  operator: status,
  office: status,
})
const integrators = (office: number, other: number) => ({
  nobody: 401,
  other,
  archivist: 403,
  elsewhere: 403,
  operator: 403,
  office,
})
const forReaders = {
  nobody: 401,
  other: 404,
  elsewhere: 404,
  operator: 403,
  archivist: 200,
  office: 200,
}
const forDeciders = (archivist: number) => ({
  nobody: 401,
  other: 403,
  office: 403,
  operator: 403,
  elsewhere: 404,
  archivist,
})

/** Every route, for every caller. A route that is not here fails the test. */
const table: Readonly<Record<string, Row>> = {
  'GET /healthz': { is: everybody(200) },
  'GET /healthcheck': { is: everybody(200) },
  'GET /readyz': { is: everybody(200) },
  'GET /openapi.json': { is: everybody(200) },
  'GET /docs': { is: everybody(200) },
  'GET /metrics': { is: { ...everybody(403), nobody: 401, operator: 200 } },
  'GET /joined': { is: { ...everybody(403), nobody: 401, operator: 200 } },
  'GET /service': { is: { ...everybody(200), nobody: 401 } },
  'GET /counts': {
    is: { nobody: 401, office: 403, other: 403, archivist: 200, elsewhere: 200, operator: 200 },
  },
  'GET /load/:sourceSystem/configuration': {
    as: '/load/sharepoint/configuration',
    is: integrators(200, 200),
  },
  'POST /load/:sourceSystem/initiate': {
    as: `/load/sharepoint/initiate?transferId=${transferId}`,
    is: integrators(200, 404),
  },
  'GET /errors/:kind/:transferId': {
    as: `/errors/load/${transferId}`,
    is: integrators(200, 404),
  },
  'GET /transfers': { is: integrators(200, 200) },
  'GET /transfers/:sourceSystem/:transferId': { as: own, is: integrators(200, 404) },
  'GET /transfers/:sourceSystem/:transferId/events': {
    as: '/transfers/networkdrive/t1/events',
    is: integrators(200, 404),
  },
  'GET /transfers/:sourceSystem/:transferId/objects': {
    as: '/transfers/networkdrive/t1/objects',
    is: integrators(200, 200), // nothing of theirs is there; tested below
  },
  'GET /transfers/:sourceSystem/:transferId/report': {
    as: '/transfers/networkdrive/t1/report',
    is: integrators(200, 404),
  },
  'GET /transfers/:sourceSystem/:transferId/report/:digest/:name': {
    as: `/transfers/networkdrive/t1/report/${digest}/report.json`,
    is: integrators(200, 404),
  },
  'POST /transfers/:sourceSystem/:transferId/uploads': {
    as: `${own}/uploads`,
    more: { json: { key: 'records/b.txt', sizeBytes: 5 } },
    is: integrators(201, 404),
  },
  'POST /transfers/:sourceSystem/:transferId/uploads/complete': {
    as: `${own}/uploads/complete`,
    more: { json: { key: 'records/b.txt', uploadId: 'x', parts: [{ partNumber: 1, etag: 'x' }] } },
    is: integrators(400, 404), // a folder takes no parts
  },
  'POST /transfers/:sourceSystem/:transferId/uploads/abort': {
    as: `${own}/uploads/abort`,
    more: { json: { key: 'records/b.txt', uploadId: 'x' } },
    is: integrators(400, 404),
  },
  'PUT /uploads/:token': { as: `${link}x`, more: { body: 'hello' }, is: everybody(404) },
  'POST /metadata/check': {
    more: { body: 'filepath,filename\na,b\n', headers: { 'content-type': 'text/csv' } },
    is: { ...everybody(200), nobody: 401, operator: 403 },
  },
  'GET /consignments': { is: { ...everybody(200), nobody: 401, operator: 403 } },
  'GET /consignments/:reference': { as: `/consignments/${reference}`, is: forReaders },
  'GET /consignments/:reference/report/:digest/:name': {
    as: `/consignments/${reference}/report/${digest}/report.json`,
    is: forReaders,
  },
  'POST /consignments/:reference/accept': {
    as: `/consignments/${reference}/accept`,
    more: { json: decision },
    is: forDeciders(409), // not the report's digest
  },
  'POST /consignments/:reference/return': {
    as: `/consignments/${reference}/return`,
    more: { json: { ...decision, reportDigest: reportDigest(finished) } },
    is: forDeciders(200),
  },
  'POST /consignments/:reference/recheck': {
    as: `/consignments/${reference}/recheck`,
    more: { json: { why: 'again' } },
    is: forDeciders(200),
  },
  'POST /consignments/:reference/withdraw': {
    as: `/consignments/${reference}/withdraw`,
    more: { json: { why: 'sent by mistake' } },
    is: forDeciders(200),
  },
  'GET /audit': { is: { ...everybody(200), nobody: 401, office: 403, other: 403 } },
  'GET /audit/export': { is: { ...everybody(200), nobody: 401, office: 403, other: 403 } },
  'POST /load/:sourceSystem/complete/:transferId': {
    as: `/load/sharepoint/complete/${transferId}`,
    more: { json: completion },
    is: integrators(200, 404),
  },
}

test('every route is in the table, and refuses whom it is not for', async () => {
  const registered = lab.registered.filter((route) => !/^(?:HEAD|OPTIONS) /.test(route))
  assert.deepEqual([...registered].sort(), Object.keys(table).sort())
  for (const [route, { as, more, is }] of Object.entries(table)) {
    const [method = '', path = ''] = route.split(' ')
    for (const [who, wanted] of Object.entries(is)) {
      const answer = await lab.call(
        who === 'nobody' ? undefined : (who as Who),
        method,
        as ?? path,
        more,
      )
      assert.equal(
        answer.status,
        wanted,
        `${method} ${as ?? path} as ${who}: ${JSON.stringify(answer.body).slice(0, 300)}`,
      )
      assert.ok(answer.headers.get('x-request-id'), route)
    }
  }
})

test('another’s transfer shows nothing of what arrived', async () => {
  const theirs = await lab.call('other', 'GET', '/transfers/networkdrive/t1/objects')
  assert.deepEqual(theirs.body.objects, [])
  const page = await lab.call('office', 'GET', '/transfers/networkdrive/t1/objects?limit=1')
  assert.deepEqual(page.body.objects, [{ key: 'complete.json', sizeBytes: 28 }])
  const rest = await lab.call(
    'office',
    'GET',
    `/transfers/networkdrive/t1/objects?cursor=${page.body.cursor}`,
  )
  assert.deepEqual(rest.body.objects, [{ key: 'records/a.txt', sizeBytes: 1 }])
})

test('lists hold what is the caller’s alone', async () => {
  const references = async (who: Who) =>
    (await lab.call(who, 'GET', '/consignments')).body.rows.map(
      (row: { reference: string }) => row.reference,
    )
  assert.deepEqual(await references('archivist'), [reference])
  assert.deepEqual(await references('office'), [reference])
  assert.deepEqual(await references('elsewhere'), [])
  assert.deepEqual(await references('other'), [])
})

test('what was done is in the log; operators see it without the words of archivists', async () => {
  const archivist = (await lab.call('archivist', 'GET', '/audit')).body.entries
  const said = archivist.map(
    ({ what, outcome }: { what: string; outcome: string }) => `${what} ${outcome}`,
  )
  assert.deepEqual(said.sort(), [
    'accept asked',
    'accept refused',
    'recheck asked',
    'recheck done',
    'return asked',
    'return done',
    'withdraw asked',
    'withdraw done',
  ])
  assert.equal(archivist.length, 8)
  assert.ok(
    archivist.every(({ who, why }: { who: string; why: string }) => who === 'ann' && why !== ''),
  )
  const operator = (await lab.call('operator', 'GET', '/audit')).body.entries
  assert.ok(operator.every(({ why }: { why: string }) => why === ''))
  assert.equal(operator.length, 8)
  assert.equal((await lab.call('elsewhere', 'GET', '/audit')).body.entries.length, 0)
  const csv = await lab.call('archivist', 'GET', '/audit/export?format=csv')
  assert.match(csv.body, /sent by mistake/)
})

test('tokens that are expired, for others, forged, unsigned or senseless open nothing', async () => {
  const claims = { sub: 'office', roles: ['integrator'] }
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const unsigned = `${encode({ alg: 'none' })}.${encode({ ...claims, iss: lab.issuer.issuer, aud: 'wharfinger', exp: 4e9 })}.`
  const shared = `${encode({ alg: 'HS256', kid: 'one' })}.${encode(claims)}.${encode('x')}`
  const tokens = [
    await lab.issuer.token(claims, { expiresAt: new Date('2026-11-24T08:00:00Z') }),
    await lab.issuer.token({ ...claims, aud: 'another' }),
    await lab.issuer.token({ ...claims, iss: 'https://elsewhere.example' }),
    await lab.issuer.forged(claims),
    await lab.issuer.token({ ...claims, sub: '../office' }),
    await lab.issuer.token({ ...claims, sub: 'office/sharepoint' }),
    unsigned,
    shared,
    'x',
  ]
  for (const token of tokens) {
    const answer = await lab.call(undefined, 'GET', '/transfers', {
      headers: { authorization: `Bearer ${token}` },
    })
    assert.equal(answer.status, 401, token.slice(0, 40))
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
  }
  const nobody = await lab.issuer.token({ sub: 'office', roles: [] })
  const headers = { authorization: `Bearer ${nobody}` }
  assert.equal((await lab.call(undefined, 'GET', '/transfers', { headers })).status, 403)
})

/** As written, without the tidying that fetch does. */
function raw(path: string, token: string): Promise<number> {
  const { port } = new URL(lab.url)
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers: { authorization: `Bearer ${token}` } }
    httpRequest(options, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

test('no parameter leads anywhere else', async () => {
  const tricks = [
    '..',
    '%2e%2e',
    '..%2f..%2fetc',
    '%2fetc',
    'a%00b',
    '%ff',
    '%',
    'a%0d%0ab',
    '~',
    '.',
  ]
  for (const trick of tricks) {
    for (const path of [
      `/load/${trick}/configuration`,
      `/errors/load/${trick}`,
      `/errors/${trick}/${transferId}`,
      `/transfers/sharepoint/${trick}`,
      `/transfers/sharepoint/${trick}/objects`,
      `/transfers/${trick}/${transferId}`,
      `/transfers/networkdrive/t1/report/${digest}/${trick}`,
      `/transfers/networkdrive/t1/report/${trick}/report.json`,
    ]) {
      const status = await raw(path, lab.tokens.office)
      assert.ok(status === 400 || status === 404, `${path}: ${status}`)
    }
    for (const path of [`/consignments/${trick}`, `/consignments/${trick}/report/${digest}/x`])
      assert.ok([400, 404].includes(await raw(path, lab.tokens.archivist)), path)
  }
  const keys = [
    '../other/sharepoint/x/records/a',
    'records/../../x',
    'complete.json',
    'records/',
    '/etc/passwd',
    'records//a',
    'records/a\u0000b',
    `records/${'a'.repeat(300)}`,
  ]
  for (const key of keys) {
    const json = { key, sizeBytes: 1 }
    const { status } = await lab.call(
      'office',
      'POST',
      '/transfers/sharepoint/' + (await fresh()) + '/uploads',
      { json },
    )
    assert.equal(status, 400, JSON.stringify(key))
  }
})

async function fresh(): Promise<string> {
  return (await lab.call('office', 'POST', '/load/sharepoint/initiate')).body.transferId
}

test('an upload has to be what was announced, and comes once', async () => {
  const id = await fresh()
  const json = { key: 'records/x', sizeBytes: 5 }
  const { body } = await lab.call('office', 'POST', `/transfers/sharepoint/${id}/uploads`, { json })
  assert.equal(body.expiresAt, '2026-11-24T10:00:00.000Z')
  const put = (content: string) => lab.call(undefined, 'PUT', body.url, { body: content })
  assert.equal((await put('hell')).status, 400)
  assert.equal((await put('hello!')).status, 400)
  assert.equal((await put('hello')).status, 201)
  assert.equal((await put('hello')).status, 409)
  const empty = { json: { key: 'records/empty', sizeBytes: 0 } }
  const offered = await lab.call('office', 'POST', `/transfers/sharepoint/${id}/uploads`, empty)
  assert.equal((await lab.call(undefined, 'PUT', offered.body.url)).status, 201)
  const huge = { json: { key: 'records/y', sizeBytes: 6e9 } }
  const refused = await lab.call('office', 'POST', `/transfers/sharepoint/${id}/uploads`, huge)
  assert.equal(refused.status, 413)
})

test('a body of 100 MB is refused before it is read', async () => {
  const { port } = new URL(lab.url)
  for (const [path, type] of [
    [`/load/sharepoint/complete/${transferId}`, 'application/json'],
    ['/metadata/check', 'text/csv'],
  ] as const) {
    const status = await new Promise<number>((resolve, reject) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port,
        path,
        method: 'POST',
        headers: {
          authorization: `Bearer ${lab.tokens.office}`,
          'content-type': type,
          'content-length': '100000000',
        },
      })
      request.on('response', (answer) => {
        resolve(answer.statusCode ?? 0)
        request.destroy()
      })
      request.on('error', reject)
      request.write('x'.repeat(1000))
    })
    assert.equal(status, 413, path)
  }
})

/** Write the beginning of a request, nothing more, and read until the server hangs up. */
function begin(request: string): Promise<string> {
  const { port } = new URL(lab.url)
  return new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1')
    let answer = ''
    socket.on('data', (piece) => (answer += piece.toString()))
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    socket.write(request)
  })
}

test('a head or a body that trickles in is given up', async () => {
  assert.match(await begin('GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: '), /^HTTP\/1\.1 408 /)
  assert.match(
    await begin(
      `POST /load/sharepoint/complete/${transferId} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${lab.tokens.office}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    ),
    /^HTTP\/1\.1 408 /,
  )
})

test('only whole origins may call from a browser', async () => {
  const ask = (origin: string) =>
    lab.call(undefined, 'OPTIONS', '/load/sharepoint/initiate', {
      headers: { origin, 'access-control-request-method': 'POST' },
    })
  const good = await ask('https://contoso.sharepoint.com')
  assert.equal(good.status, 204)
  assert.equal(good.headers.get('access-control-allow-origin'), 'https://contoso.sharepoint.com')
  for (const origin of [
    'https://contoso.sharepoint.com.evil.example',
    'http://contoso.sharepoint.com',
    'null',
  ])
    assert.equal((await ask(origin)).headers.get('access-control-allow-origin'), null)
})

test('headers from outside come back only where they are harmless', async () => {
  const ask = async (id: string) =>
    (await lab.call(undefined, 'GET', '/healthz', { headers: { 'x-request-id': id } })).headers.get(
      'x-request-id',
    )
  assert.equal(await ask('abc-123'), 'abc-123')
  assert.notEqual(await ask('<script>'), '<script>')
  const key = { headers: { 'idempotency-key': 'a b' } }
  assert.equal((await lab.call('office', 'POST', '/load/sharepoint/initiate', key)).status, 400)
})

test('the OpenAPI document is valid, and the page that shows it runs nothing', async () => {
  const { body } = await lab.call(undefined, 'GET', '/openapi.json')
  const result = await new Validator().validate(body)
  assert.equal(result.valid, true, JSON.stringify(result.errors))
  assert.equal(body.openapi, '3.1.0')
  const page = await lab.call(undefined, 'GET', '/docs')
  assert.doesNotMatch(page.body, /<script|https?:\/\/(?!localhost)/)
  assert.match(page.body, /POST \/load\/\{sourceSystem\}\/initiate/)
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/)
})

test('numbers name routes, never what was asked for', async () => {
  const { body } = await lab.call('operator', 'GET', '/metrics')
  assert.match(body, /route="\/transfers\/:sourceSystem\/:transferId"/)
  assert.doesNotMatch(body, new RegExp(`${transferId}|${reference}`))
})

test('a status is sent as it changes, until there is a report', async () => {
  const id = await fresh()
  const json = { key: 'records/x', sizeBytes: 1 }
  const { body } = await lab.call('office', 'POST', `/transfers/sharepoint/${id}/uploads`, { json })
  await lab.call(undefined, 'PUT', body.url, { body: 'x' })
  const answer = await fetch(`${lab.url}/transfers/sharepoint/${id}/events`, {
    headers: { authorization: `Bearer ${lab.tokens.office}` },
  })
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
  await lab.call('office', 'POST', `/load/sharepoint/complete/${id}`, { json: completion })
  await lab.deliver({ zone: 'lab', integrator: 'office', source: 'sharepoint', transferId: id })
  const text = await answer.text()
  const seen = [...text.matchAll(/^event: status\ndata: (.*)$/gm)].map(
    ([, data = '']) => JSON.parse(data) as { processed: boolean },
  )
  assert.equal(seen[0]?.processed, false)
  assert.equal(seen.at(-1)?.processed, true)
  assert.match(text, /event: end/)
})

test('one integrator’s haste does not slow another', async () => {
  const hasty = await makeServiceLab({ service: '  requestsPerMinute: 3' })
  try {
    const ask = (who: Who) => hasty.call(who, 'GET', '/transfers')
    for (let i = 0; i < 3; i++) assert.equal((await ask('office')).status, 200)
    const refused = await ask('office')
    assert.equal(refused.status, 429)
    assert.equal(refused.body.title, 'Too many requests')
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.equal((await ask('other')).status, 200)
    assert.equal((await hasty.call(undefined, 'GET', '/healthz')).status, 200)
  } finally {
    await hasty.close()
  }
})

test.after(() => lab.close())

test.run()
