import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import { makeServiceLab } from '../../fixtures/service-lab.ts'

const test = suite('a client written for TDR')

const lab = await makeServiceLab({ service: '  maxRecords: 3' })

/** What a TDR client knows, and nothing else: paths and JSON from TDR's public code. */
class TdrClient {
  async begin(source: string): Promise<{ transferId: string; records: string }> {
    const { status, body } = await lab.call('office', 'POST', `/load/${source}/initiate`)
    assert.equal(status, 200)
    return { transferId: body.transferId, records: body.recordsLoadDestination.bucketKeyPrefix }
  }
  complete(source: string, id: string, expected: number, loaded: number, errors: string[] = []) {
    return lab.call('office', 'POST', `/load/${source}/complete/${id}`, {
      json: {
        expectedNumberFiles: expected,
        loadedNumberFiles: loaded,
        loadErrors: errors.map((message) => ({ message })),
      },
    })
  }
  errors(id: string, query = '') {
    return lab.call('office', 'GET', `/errors/load/${id}${query}`)
  }
}

const client = new TdrClient()
const transferOf = (source: string, transferId: string) => ({
  zone: 'lab',
  integrator: 'office',
  source,
  transferId,
})

async function upload(source: string, id: string, key: string, content: string): Promise<number> {
  const offer = await lab.call('office', 'POST', `/transfers/${source}/${id}/uploads`, {
    json: { key, sizeBytes: Buffer.byteLength(content) },
  })
  assert.equal(offer.status, 201, JSON.stringify(offer.body))
  const { 'content-length': _set, ...headers } = offer.body.headers as Record<string, string>
  return (await lab.call(undefined, 'PUT', offer.body.url, { body: content, headers })).status
}

function sidecar(matchId: string, transferId: string, content: string, checksum?: string) {
  return JSON.stringify({
    matchId,
    transferId,
    source: 'sharepoint',
    Modified: '2025-07-03T09:19:47Z',
    SHA256ClientSideChecksum: checksum ?? createHash('sha256').update(content).digest('hex'),
    Length: String(content.length),
    FileRef: `/sites/Retail/Shared Documents/${matchId}.txt`,
    FileLeafRef: `${matchId}.txt`,
  })
}

test('it lands a transfer, completes it, and learns when it is processed', async () => {
  const configuration = await lab.call('office', 'GET', '/load/sharepoint/configuration')
  assert.equal(configuration.body.maxNumberRecords, 3)
  assert.equal(configuration.body.disallowedFileNames[0].pattern, 'thumbs.db')
  const { transferId, records } = await client.begin('sharepoint')
  assert.equal(records, `office/sharepoint/${transferId}/records`)
  assert.equal(await upload('sharepoint', transferId, 'records/m1', 'hello'), 201)
  assert.equal(
    await upload(
      'sharepoint',
      transferId,
      'metadata/m1.metadata',
      sidecar('m1', transferId, 'hello'),
    ),
    201,
  )
  const completed = await client.complete('sharepoint', transferId, 1, 1)
  assert.deepEqual([completed.status, completed.body.success], [200, true])
  const before = await client.errors(transferId)
  assert.deepEqual(before.body, { uploadCompleted: false, transferId, errors: [] })
  const delivered = await lab.deliver(transferOf('sharepoint', transferId))
  assert.equal(delivered.status, 'Completed', delivered.sentence)
  const after = await client.errors(transferId)
  assert.deepEqual(after.body, { uploadCompleted: true, transferId, errors: [] })
  const status = await lab.call('office', 'GET', `/transfers/sharepoint/${transferId}`)
  assert.equal(status.body.reference, delivered.reference, 'the reference promised at the start')
  assert.equal(status.body.verdict, delivered.verdict)
})

test('complete may be said twice; something else is a conflict and changes nothing', async () => {
  const { transferId } = await client.begin('networkdrive')
  await upload('networkdrive', transferId, 'records/a.txt', 'a')
  const first = await client.complete('networkdrive', transferId, 1, 1)
  const again = await client.complete('networkdrive', transferId, 1, 1)
  assert.deepEqual([again.status, again.body], [200, first.body])
  const other = await client.complete('networkdrive', transferId, 2, 2)
  assert.equal(other.status, 409)
  assert.match(other.headers.get('content-type') ?? '', /^application\/problem\+json/)
  assert.equal((await lab.deliver(transferOf('networkdrive', transferId))).counts.files, 1)
  assert.deepEqual((await client.complete('networkdrive', transferId, 1, 1)).body, first.body)
})

test('what the client could not load is recorded, and reported a page at a time', async () => {
  const { transferId } = await client.begin('harddrive')
  await upload('harddrive', transferId, 'records/a.txt', 'a')
  const messages = ['disk error on b.txt', 'no access to "c", d.txt', 'line\nbreak']
  const completed = await client.complete('harddrive', transferId, 4, 1, messages)
  assert.deepEqual([completed.status, completed.body.success], [200, false])
  const pages = async () => {
    const seen: { errorCode: string; errorMessage: string }[] = []
    for (let query = '?limit=1'; ;) {
      const { body } = await client.errors(transferId, query)
      seen.push(...body.errors)
      if (body.cursor === undefined) return seen
      query = `?limit=1&cursor=${body.cursor}`
    }
  }
  assert.deepEqual(
    (await pages()).map(({ errorMessage }) => errorMessage),
    messages,
  )
  await lab.deliver(transferOf('harddrive', transferId))
  const whole = (await client.errors(transferId)).body.errors
  assert.deepEqual(await pages(), whole)
  const told = whole.filter(
    ({ errorCode }: { errorCode: string }) => errorCode === 'TRANSFER.CLIENT_ERROR',
  )
  assert.equal(told.length, 3)
  const stale = await client.errors(transferId, '?cursor=stated.1')
  assert.equal(stale.status, 410)
})

test('an error names its record by match id and by path', async () => {
  const { transferId } = await client.begin('sharepoint')
  await upload('sharepoint', transferId, 'records/m9', 'hello')
  const wrong = sidecar('m9', transferId, 'hello', 'a'.repeat(64))
  await upload('sharepoint', transferId, 'metadata/m9.metadata', wrong)
  await client.complete('sharepoint', transferId, 1, 1)
  await lab.deliver(transferOf('sharepoint', transferId))
  const [error] = (await client.errors(transferId)).body.errors
  assert.equal(error.errorCode, 'CHECKSUM.MISMATCH')
  assert.equal(error.matchId, 'm9')
  assert.equal(error.path, 'Retail/Shared Documents/m9.txt')
  assert.equal(error.consignmentId, transferId)
})

test('limits hold whatever the client was told', async () => {
  const { transferId } = await client.begin('googledrive')
  for (const name of ['a', 'b', 'c', 'd'])
    await upload('googledrive', transferId, `records/${name}`, name)
  const refused = await client.complete('googledrive', transferId, 4, 4)
  assert.equal(refused.status, 422)
  assert.match(refused.body.detail, /more than 3 records/)
  assert.equal((await client.errors(transferId)).body.errors[0].errorCode, 'LIMIT.RECORDS')
  const status = await lab.call('office', 'GET', `/transfers/googledrive/${transferId}`)
  assert.equal(status.body.steps[0].state, 'in progress')
  assert.match(status.body.refused[0], /3 records/)
})

test('initiate is repeated by its key and resumed by its id, until it is completed', async () => {
  const begin = (source: string, key: string) =>
    lab.call('office', 'POST', `/load/${source}/initiate`, { headers: { 'idempotency-key': key } })
  const [one, two] = await Promise.all([begin('harddrive', 'k1'), begin('harddrive', 'k1')])
  assert.deepEqual(one.body, two.body)
  assert.equal((await begin('sharepoint', 'k1')).status, 422)
  assert.notEqual((await begin('harddrive', 'k2')).body.transferId, one.body.transferId)
  const { transferId } = one.body
  const resume = () =>
    lab.call('office', 'POST', `/load/harddrive/initiate?transferId=${transferId}`)
  assert.deepEqual((await resume()).body, one.body)
  await upload('harddrive', transferId, 'records/a', 'a')
  await client.complete('harddrive', transferId, 1, 1)
  assert.equal((await resume()).status, 409)
  assert.equal(await uploadStatus('harddrive', transferId, 'records/b'), 409)
})

async function uploadStatus(source: string, id: string, key: string): Promise<number> {
  const json = { key, sizeBytes: 1 }
  return (await lab.call('office', 'POST', `/transfers/${source}/${id}/uploads`, { json })).status
}

test('metadata can go ahead alone, and is reported without its records', async () => {
  const { transferId } = await client.begin('networkdrive')
  const table = 'filepath,filename,date last modified\na.txt,a.txt,yesterday\n'
  assert.equal(await upload('networkdrive', transferId, 'metadata/m.csv', table), 201)
  const path = `/load/networkdrive/complete/${transferId}?metadataOnly=true`
  const json = { expectedNumberFiles: 0, loadedNumberFiles: 0, loadErrors: [] }
  const completed = await lab.call('office', 'POST', path, { json })
  assert.deepEqual([completed.status, completed.body.success], [200, true])
  const delivered = await lab.deliver(transferOf('networkdrive', transferId))
  assert.equal(delivered.counts.files, 0)
  const { body } = await client.errors(transferId)
  const codes = body.errors.map(({ errorCode }: { errorCode: string }) => errorCode)
  assert.ok(codes.includes('METADATA.COLUMN_MISSING'), codes.join())
  assert.ok(!codes.includes('FILE.MISSING'), 'no record was to come')
  assert.equal(body.uploadCompleted, true)
})

test('an empty JSON body, as some clients send it, begins a transfer too', async () => {
  const { status } = await lab.call('office', 'POST', '/load/sharepoint/initiate', {
    headers: { 'content-type': 'application/json' },
    body: '',
  })
  assert.equal(status, 200)
})

test('another source, a wrong id and half a body are refused in one form', async () => {
  const id = '3f0d8e7a-0000-4000-8000-000000000000'
  const rows: [string, string, unknown, number][] = [
    ['GET', '/load/dropbox/configuration', undefined, 400],
    ['POST', '/load/dropbox/initiate', undefined, 400],
    ['POST', '/load/sharepoint/initiate?transferId=x', undefined, 400],
    ['POST', `/load/sharepoint/initiate?transferId=${id}`, undefined, 404],
    ['POST', `/load/sharepoint/complete/${id}`, { expectedNumberFiles: 1 }, 400],
    ['POST', `/load/sharepoint/complete/${id}`, completion('1'), 400],
    ['POST', `/load/sharepoint/complete/${id}`, completion(null), 400],
    ['POST', `/load/sharepoint/complete/${id}`, completion(1), 404],
    ['POST', '/load/sharepoint/complete/x', completion(1), 400],
    ['GET', `/errors/load/${id}`, undefined, 404],
    ['GET', `/errors/other/${id}`, undefined, 400],
    ['GET', `/errors/load/${id}?limit=0`, undefined, 400],
  ]
  for (const [method, path, json, wanted] of rows) {
    const answer = await lab.call('office', method, path, json === undefined ? {} : { json })
    assert.equal(answer.status, wanted, `${method} ${path}: ${JSON.stringify(answer.body)}`)
    assert.equal(answer.body.status, wanted)
    assert.equal(answer.body.message, answer.body.detail)
    assert.equal(answer.body.requestId, answer.headers.get('x-request-id'))
  }
})

function completion(expectedNumberFiles: unknown) {
  return { expectedNumberFiles, loadedNumberFiles: 1, loadErrors: [] }
}

test('while the workers sleep, answers say when work starts again', async () => {
  lab.awake = { state: 'asleep', until: new Date('2026-11-30T08:00:00.000Z') }
  try {
    const { body } = await lab.call('office', 'POST', '/load/sharepoint/initiate')
    assert.deepEqual(body.work, { state: 'asleep', workStartsAt: '2026-11-30T08:00:00.000Z' })
  } finally {
    lab.awake = { state: 'open' }
  }
})

test.after(() => lab.close())

test.run()
