import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { makeLab } from '../../fixtures/lab.ts'
import { startS3Server } from '../../fixtures/servers/s3-server.ts'
import { createS3Store } from '../adapters/s3-store.ts'
import type { ServiceContext } from './context.ts'
import { initiateTransfer } from './initiate.ts'
import { Problem } from './problem.ts'
import { createUploads, listArrived, wholeKey } from './uploads.ts'

const test = suite('uploads into a bucket')

process.env['AWS_ACCESS_KEY_ID'] = 'test'
process.env['AWS_SECRET_ACCESS_KEY'] = 'test'

const server = await startS3Server()
server.makeBucket('zone')
const lab = makeLab()
const store = {
  kind: 's3',
  bucket: 'zone',
  prefix: 'drop/',
  endpoint: server.endpoint,
  region: 'eu-west-2',
  forcePathStyle: true,
} as const
const context: ServiceContext = {
  config: lab.engine.config,
  zone: { ...lab.zone, store },
  zoneStore: createS3Store(store),
  state: lab.engine.state,
  reports: lab.engine.reports,
  now: lab.engine.now,
  awake: () => ({ state: 'open' }),
}
const uploads = createUploads(context, () => 'http://unused.example')
const begin = async () =>
  (await initiateTransfer(context, { integrator: 'office', source: 'sharepoint', by: 'office' }))
    .transfer

const isProblem = (status: number) => (error: unknown) =>
  error instanceof Problem && error.status === status

async function put(
  request: { url: string; headers: Readonly<Record<string, string>> },
  body: Uint8Array | string,
): Promise<{ status: number; etag: string }> {
  const { 'content-length': _set, ...headers } = request.headers
  const answer = await fetch(request.url, { method: 'PUT', headers, body: Buffer.from(body) })
  await answer.arrayBuffer()
  return { status: answer.status, etag: answer.headers.get('etag') ?? '' }
}

test('a small object goes in one request and is never replaced', async () => {
  const transfer = await begin()
  const request = { key: 'records/a ü.txt', sizeBytes: 5 }
  const offer = await uploads.offer(transfer, request)
  assert.equal(offer.kind, 'single')
  if (offer.kind !== 'single') return
  assert.equal(offer.expiresAt, '2026-11-24T10:00:00.000Z')
  assert.equal((await put(offer, 'hello')).status, 200)
  assert.equal((await put(offer, 'other')).status, 412)
  await assert.rejects(uploads.offer(transfer, request), isProblem(409))
  const { objects } = await listArrived(context, transfer, { limit: 10 })
  assert.deepEqual(objects, [{ key: 'records/a ü.txt', sizeBytes: 5 }])
})

test('a large object goes in parts that cover it without a gap, and fresh links can be had', async () => {
  const transfer = await begin()
  const sizeBytes = 101_000_000
  const offer = await uploads.offer(transfer, { key: 'records/large', sizeBytes })
  assert.equal(offer.kind, 'multipart')
  if (offer.kind !== 'multipart') return
  let next = 0
  for (const part of offer.parts) {
    assert.equal(part.firstByte, next)
    next += part.sizeBytes
  }
  assert.equal(next, sizeBytes)
  const { uploadId } = offer
  const again = await uploads.offer(transfer, { key: 'records/large', sizeBytes, uploadId })
  assert.equal(again.kind, 'multipart')
  if (again.kind !== 'multipart') return
  const body = Buffer.alloc(sizeBytes, 'x')
  const parts = []
  for (const part of again.parts) {
    const piece = body.subarray(part.firstByte, part.firstByte + part.sizeBytes)
    parts.push({ partNumber: part.partNumber, etag: (await put(part, piece)).etag })
  }
  await uploads.complete(transfer, 'records/large', uploadId, parts)
  assert.equal(
    (await context.zoneStore.head(wholeKey(transfer, 'records/large')))?.sizeBytes,
    sizeBytes,
  )
})

test('an upload in parts can be given up', async () => {
  const transfer = await begin()
  const offer = await uploads.offer(transfer, { key: 'records/x', sizeBytes: 200_000_000 })
  if (offer.kind !== 'multipart') throw new Error('not in parts')
  await uploads.abort(transfer, 'records/x', offer.uploadId)
  assert.deepEqual((await listArrived(context, transfer, { limit: 10 })).objects, [])
})

test('listing goes on after its cursor', async () => {
  const transfer = await begin()
  for (const key of ['records/a', 'records/b', 'records/c']) {
    const offer = await uploads.offer(transfer, { key, sizeBytes: 1 })
    if (offer.kind === 'single') await put(offer, 'x')
  }
  const first = await listArrived(context, transfer, { limit: 2 })
  const rest = await listArrived(context, transfer, { limit: 2, cursor: first.cursor ?? '' })
  assert.deepEqual(
    [...first.objects, ...rest.objects].map(({ key }) => key),
    ['records/a', 'records/b', 'records/c'],
  )
  assert.equal(rest.cursor, undefined)
})

test('links of a folder are no links here', async () => {
  await assert.rejects(uploads.receive('x.y', (async function* () {})(), 0), isProblem(404))
})

test.after(async () => {
  await uploads.close()
  await context.zoneStore.close()
  await server.close()
  await lab.close()
})

test.run()
