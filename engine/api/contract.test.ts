import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { suite } from 'uvu'
import {
  makeServiceLab,
  type Answer,
  type CallOptions,
  type Who,
} from '../../fixtures/service-lab.ts'
import { packageRoot } from '../package-root.ts'
import { reportDigest } from '../run/decisions.ts'

const test = suite('every row of the API table, good and bad, against the OpenAPI document')

const lab = await makeServiceLab()

type Operation = {
  readonly responses: Readonly<
    Record<string, { content?: Readonly<Record<string, { schema: object }>> }>
  >
}
const document = (await lab.call(undefined, 'GET', '/openapi.json')).body as {
  paths: Record<string, Record<string, Operation>>
}
const operations = new Map<string, Operation>(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, one]) => [`${method.toUpperCase()} ${path}`, one] as const,
    ),
  ),
)
const ajv = new Ajv2020({ strict: false })
formats.default(ajv)

const UNDESCRIBED =
  /events$|report\/\{digest\}\/\{name\}$|export$|GET \/(?:metrics|healthz|readyz|healthcheck)$/

/** The answer is one that the document describes for the operation. */
function fits(name: string, { status, headers, body }: Answer): void {
  const responses = operations.get(name)?.responses ?? {}
  const described = responses[status] ?? responses[`${String(status)[0]}XX`]
  if (status >= 400) {
    assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/, name)
    assert.deepEqual([body.status, body.message], [status, body.detail], name)
    assert.equal(body.requestId, headers.get('x-request-id'), name)
  }
  const schema = Object.values(described?.content ?? {})[0]?.schema
  if (schema === undefined) {
    // Events and files are no JSON; everything else is described, problems too.
    assert.match(name, UNDESCRIBED, `${name} ${status} is not described`)
    return
  }
  const validate = ajv.compile(schema)
  assert.ok(validate(body), `${name} ${status}: ${ajv.errorsText(validate.errors)}`)
}

const begun = await lab.call('office', 'POST', '/load/sharepoint/initiate')
const id: string = begun.body.transferId
const nobodys = '3f0d8e7a-0000-4000-8000-000000000000'
const finished = await lab.deliver(
  lab.lab.land('t1', { 'records/a.txt': 'a' }, { transferringBody: 'MOCK1' }),
)
const another = async (transferId: string) =>
  lab.deliver(
    lab.lab.land(transferId, { 'records/a.txt': transferId }, { transferringBody: 'MOCK1' }),
  )
const returned = await another('t2')
const withdrawn = await another('t3')
await lab.index.refresh()
const { reference } = finished
const report = finished.files.find(({ name }) => name === 'report.json')
const file = `report/${report?.sha256.slice(0, 16) ?? ''}/report.json`
const decision = { why: 'as listed', reportDigest: reportDigest(finished) }
const one = `/transfers/sharepoint/${id}`
const done = '/transfers/networkdrive/t1'
const complete = { expectedNumberFiles: 0, loadedNumberFiles: 0, loadErrors: [] }
const parts = [{ partNumber: 1, etag: 'x' }]
const json = (value: unknown): CallOptions => ({ json: value })
const offered = await lab.call('office', 'POST', `${one}/uploads`, {
  json: { key: 'records/offered', sizeBytes: 1 },
})
const link = new URL(String(offered.body.url)).pathname

type Call = readonly [who: Who | undefined, path: string, status: number, more?: CallOptions]

/** A good call of each operation, and bad ones. Uploads in parts are tried where there is a bucket. */
const rows: Readonly<Record<string, readonly Call[]>> = {
  'GET /healthcheck': [['office', '/healthcheck', 200]],
  'GET /healthz': [['office', '/healthz', 200]],
  'GET /readyz': [['office', '/readyz', 200]],
  'GET /metrics': [
    ['operator', '/metrics', 200],
    ['office', '/metrics', 403],
  ],
  'GET /service': [
    ['office', '/service', 200],
    [undefined, '/service', 401],
  ],
  'GET /counts': [
    ['operator', '/counts', 200],
    ['office', '/counts', 403],
  ],
  'GET /load/{sourceSystem}/configuration': [
    ['office', '/load/googledrive/configuration', 200],
    ['office', '/load/fax/configuration', 400],
  ],
  'POST /load/{sourceSystem}/initiate': [
    ['office', '/load/sharepoint/initiate', 200],
    ['office', '/load/sharepoint/initiate?transferId=x', 400],
    ['office', `/load/sharepoint/initiate?transferId=${nobodys}`, 404],
  ],
  'GET /errors/{kind}/{transferId}': [
    ['office', `/errors/load/${id}`, 200],
    ['office', `/errors/errors/${nobodys}`, 404],
    ['office', `/errors/load/${id}?limit=1001`, 400],
  ],
  'GET /transfers': [
    ['office', '/transfers?limit=1', 200],
    ['office', '/transfers?limit=0', 400],
    ['office', '/transfers?cursor=%3Cscript%3E', 400],
  ],
  'GET /transfers/{sourceSystem}/{transferId}': [
    ['office', one, 200],
    ['office', done, 200],
    ['office', `/transfers/sharepoint/${nobodys}`, 404],
  ],
  'GET /transfers/{sourceSystem}/{transferId}/events': [
    ['office', `${done}/events`, 200],
    ['office', `/transfers/sharepoint/${nobodys}/events`, 404],
  ],
  'GET /transfers/{sourceSystem}/{transferId}/objects': [
    ['office', `${done}/objects?limit=1`, 200],
    ['office', `${done}/objects?limit=many`, 400],
  ],
  'GET /transfers/{sourceSystem}/{transferId}/report': [
    ['office', `${done}/report`, 200],
    ['office', `${one}/report`, 404],
  ],
  'GET /transfers/{sourceSystem}/{transferId}/report/{digest}/{name}': [
    ['office', `${done}/${file}`, 200],
    ['office', `${done}/report/0123456789abcdef/report.json`, 404],
  ],
  'POST /transfers/{sourceSystem}/{transferId}/uploads': [
    ['office', `${one}/uploads`, 201, json({ key: 'records/a', sizeBytes: 1 })],
    ['office', `${one}/uploads`, 400, json({ key: 'elsewhere/a', sizeBytes: 1 })],
    ['office', `${one}/uploads`, 400, json({ key: 'records/a', sizeBytes: '1' })],
    ['office', `${one}/uploads`, 413, json({ key: 'records/a', sizeBytes: 1e13 })],
  ],
  'POST /transfers/{sourceSystem}/{transferId}/uploads/complete': [
    ['office', `${one}/uploads/complete`, 400, json({ key: 'records/a', uploadId: 'x', parts })],
    [
      'office',
      `${one}/uploads/complete`,
      400,
      json({ key: 'records/a', uploadId: 'x', parts: [] }),
    ],
  ],
  'POST /transfers/{sourceSystem}/{transferId}/uploads/abort': [
    ['office', `${one}/uploads/abort`, 400, json({ key: 'records/a', uploadId: 'x' })],
    ['office', `${one}/uploads/abort`, 400, json({ key: 'records/a' })],
  ],
  'PUT /uploads/{token}': [
    [undefined, link, 201, { body: 'x' }],
    [undefined, link, 409, { body: 'x' }],
    ['office', '/uploads/none', 404, { body: 'x' }],
  ],
  'POST /metadata/check': [
    [
      'office',
      '/metadata/check',
      200,
      { body: 'filepath\na\n', headers: { 'content-type': 'text/csv' } },
    ],
    ['office', '/metadata/check', 415, { body: 'x', headers: { 'content-type': 'image/png' } }],
  ],
  'GET /consignments': [
    ['archivist', '/consignments?transferringBody=MOCK1&state=to%20be%20decided', 200],
    ['archivist', '/consignments?state=lost', 400],
    ['archivist', '/consignments?from=yesterday', 400],
  ],
  'GET /consignments/{reference}': [
    ['archivist', `/consignments/${reference}`, 200],
    ['archivist', '/consignments/WHF-1999-X', 404],
  ],
  'GET /consignments/{reference}/report/{digest}/{name}': [
    ['archivist', `/consignments/${reference}/${file}`, 200],
    ['archivist', `/consignments/${reference}/report/0123456789abcdef/report.json`, 404],
  ],
  'POST /consignments/{reference}/accept': [
    [
      'archivist',
      `/consignments/${reference}/accept`,
      400,
      json({ why: ' ', reportDigest: decision.reportDigest }),
    ],
    [
      'archivist',
      `/consignments/${reference}/accept`,
      409,
      json({ ...decision, reportDigest: 'f'.repeat(64) }),
    ],
    ['archivist', `/consignments/${reference}/accept`, 200, json(decision)],
  ],
  'POST /consignments/{reference}/return': [
    ['archivist', `/consignments/${reference}/return`, 400, json({})],
    ['archivist', `/consignments/${reference}/return`, 409, json(decision)],
    [
      'archivist',
      `/consignments/${returned.reference}/return`,
      200,
      json({ why: 'one is missing', reportDigest: reportDigest(returned) }),
    ],
  ],
  'POST /consignments/{reference}/recheck': [
    ['archivist', '/consignments/WHF-1999-X/recheck', 404, json({ why: 'again' })],
    ['archivist', `/consignments/${reference}/recheck`, 400, json({ why: '' })],
    ['archivist', `/consignments/${reference}/recheck`, 200, json({ why: 'again' })],
  ],
  'POST /consignments/{reference}/withdraw': [
    ['archivist', `/consignments/${reference}/withdraw`, 400, json({ why: 1 })],
    ['archivist', `/consignments/${withdrawn.reference}/withdraw`, 200, json({ why: 'a mistake' })],
  ],
  'GET /audit': [
    ['archivist', '/audit?limit=2', 200],
    ['archivist', '/audit?from=2026-13-01', 400],
  ],
  'GET /audit/export': [
    ['archivist', '/audit/export?format=jsonl', 200],
    ['archivist', '/audit/export?format=xlsx', 400],
  ],
  'POST /load/{sourceSystem}/complete/{transferId}': [
    ['office', `/load/sharepoint/complete/${id}`, 400, json({ loadErrors: 'none' })],
    ['office', `/load/sharepoint/complete/${nobodys}`, 404, json(complete)],
    ['office', `/load/sharepoint/complete/${id}`, 200, json(complete)],
    ['office', `/load/sharepoint/complete/${id}`, 200, json(complete)],
    ['office', `/load/sharepoint/complete/${id}`, 409, json({ ...complete, loadedNumberFiles: 1 })],
  ],
}

test('every operation of the document is tried, and answers as it is described', async () => {
  const known = [...operations.keys()].filter((name) => !/ \/(?:openapi\.json|docs)$/.test(name))
  assert.deepEqual(known.sort(), Object.keys(rows).sort())
  for (const [name, calls] of Object.entries(rows)) {
    const [method = ''] = name.split(' ')
    for (const [who, path, status, more] of calls) {
      const answer = await lab.call(who, method, path, more)
      const said = JSON.stringify(answer.body).slice(0, 300)
      assert.equal(answer.status, status, `${method} ${path} as ${who}: ${said}`)
      fits(name, answer)
    }
  }
})

/** Nothing about them can be wrong; `readyz` says 503 while draining, as serve-stop.test.ts shows. */
const NEVER_BAD = ['GET /healthcheck', 'GET /healthz', 'GET /readyz']
/** Uploads in parts need a bucket: uploads.test.ts. */
const GOOD_ELSEWHERE = [
  'POST /transfers/{sourceSystem}/{transferId}/uploads/complete',
  'POST /transfers/{sourceSystem}/{transferId}/uploads/abort',
]

test('every operation is tried well and badly', () => {
  const without = (isWanted: (status: number) => boolean) =>
    Object.entries(rows)
      .filter(([, calls]) => !calls.some(([, , status]) => isWanted(status)))
      .map(([name]) => name)
  assert.deepEqual(
    without((status) => status >= 400),
    NEVER_BAD,
  )
  assert.deepEqual(
    without((status) => status < 400),
    GOOD_ELSEWHERE,
  )
})

test('every operation of the document is in the reference for people', () => {
  const text = readFileSync(join(packageRoot(), 'docs', 'reference', 'api.md'), 'utf8')
  for (const name of operations.keys()) {
    const path = name.split(' ')[1] ?? ''
    if (/^\/(?:openapi\.json|docs)$/.test(path)) continue
    // `…` stands for a transfer's own address, and alternatives share a row.
    const short = path.replace('/transfers/{sourceSystem}/{transferId}', '…')
    const last = `/${path.split('/').at(-1)}`
    assert.ok(
      [path, short, last].some((one) => text.includes(`\`${one}`)) || text.includes(`${last}\``),
      `${name} is not in api.md`,
    )
  }
})

test.after(() => lab.close())

test.run()
