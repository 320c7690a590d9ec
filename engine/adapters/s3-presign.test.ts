import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { startS3Server } from '../../fixtures/servers/s3-server.ts'
import { createS3Presigner } from './s3-presign.ts'

const test = suite('presigned uploads')

process.env['AWS_ACCESS_KEY_ID'] = 'test'
process.env['AWS_SECRET_ACCESS_KEY'] = 'test'

const NOW = new Date('2026-11-24T09:00:00.000Z')
const LATER = new Date('2026-11-24T10:00:00.000Z')

const server = await startS3Server()
server.makeBucket('zone')
const presigner = createS3Presigner({
  kind: 's3',
  bucket: 'zone',
  prefix: 'drop/',
  endpoint: server.endpoint,
  region: 'eu-west-2',
  forcePathStyle: true,
})

async function send(
  request: { url: string; method: string; headers: Readonly<Record<string, string>> },
  body: string,
): Promise<{ status: number; etag: string }> {
  const { 'content-length': _set, ...headers } = request.headers
  const answer = await fetch(request.url, { method: request.method, headers, body })
  await answer.text()
  return { status: answer.status, etag: answer.headers.get('etag') ?? '' }
}

test('length and create-if-absent are signed, and no checksum of an empty body is', async () => {
  const { url, headers } = await presigner.put('a/b', 5, NOW, LATER)
  const query = new URL(url).searchParams
  assert.equal(query.get('X-Amz-SignedHeaders'), 'content-length;host;if-none-match')
  assert.equal(query.get('X-Amz-Expires'), '3600')
  assert.equal(query.get('X-Amz-Date'), '20261124T090000Z')
  assert.deepEqual(
    [...query.keys()].filter((name) => /checksum|sdk/i.test(name)),
    [],
  )
  assert.deepEqual(headers, { 'content-length': '5', 'if-none-match': '*' })
  assert.match(new URL(url).pathname, /^\/zone\/drop\/a\/b$/)
})

test('what is signed can be sent, once', async () => {
  const request = await presigner.put('records/one', 5, NOW, LATER)
  assert.equal((await send(request, 'hello')).status, 200)
  assert.equal((await send(request, 'other')).status, 412)
})

test('an upload in parts comes together once', async () => {
  const key = 'records/large'
  const pieces = ['a'.repeat(5 * 1024 * 1024), 'end']
  const upload = async () => {
    const id = await presigner.begin(key)
    const parts = []
    for (const [i, piece] of pieces.entries()) {
      const part = { number: i + 1, sizeBytes: piece.length }
      const request = await presigner.part(key, id, part, NOW, LATER)
      assert.equal(
        new URL(request.url).searchParams.get('X-Amz-SignedHeaders'),
        'content-length;host',
      )
      parts.push({ partNumber: i + 1, etag: (await send(request, piece)).etag })
    }
    return presigner.complete(key, id, parts)
  }
  assert.equal(await upload(), 'created')
  const abandoned = await presigner.begin('records/given-up')
  await presigner.abort('records/given-up', abandoned)
})

test('nothing is promised for longer than the credentials last', async () => {
  assert.deepEqual(await presigner.expiry(NOW, LATER), LATER)
  process.env['AWS_CREDENTIAL_EXPIRATION'] = '2026-11-24T09:30:00.000Z'
  process.env['AWS_SESSION_TOKEN'] = 'session'
  const short = createS3Presigner({ kind: 's3', bucket: 'zone', prefix: '', region: 'eu-west-2' })
  try {
    assert.equal((await short.expiry(NOW, LATER)).toISOString(), '2026-11-24T09:29:00.000Z')
  } finally {
    delete process.env['AWS_CREDENTIAL_EXPIRATION']
    delete process.env['AWS_SESSION_TOKEN']
    await short.close()
  }
})

test.after(async () => {
  await presigner.close()
  await server.close()
})

test.run()
