import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { startS3Server, type S3Server } from '../../fixtures/servers/s3-server.ts'
import { retrying } from './retrying-store.ts'
import { createS3Store } from './s3-store.ts'
import { assertReason, keysUnder } from './store.contract.ts'

process.env['AWS_ACCESS_KEY_ID'] = 'test'
process.env['AWS_SECRET_ACCESS_KEY'] = 'test'

const address = (endpoint: string, bucket: string) =>
  ({
    kind: 's3',
    bucket,
    prefix: 'some/prefix/',
    endpoint,
    forcePathStyle: true,
    region: 'eu-west-2',
  }) as const

const server: S3Server = await startS3Server()
const test = suite('S3 store')
test.before(() => server.makeBucket('faults'))
test.after(() => server.close())
const plain = () => createS3Store(address(server.endpoint, 'faults'))
const patient = () => retrying(plain(), { attempts: 5, baseDelayMs: 1, maxDelayMs: 5 })

test('a store that goes away and comes back costs tries, not results', async () => {
  const store = patient()
  server.fault({ operation: 'PutObject', keyPart: 'away', times: 3, status: 503, code: 'SlowDown' })
  assert.equal(await store.createIfAbsent('away', 'content'), 'created')
  server.fault({ operation: 'GetObject', keyPart: 'away', times: 2, status: 500 })
  assert.equal(Buffer.from(await store.readWhole('away', { maxBytes: 100 })).toString(), 'content')
  server.fault({ operation: 'GetObject', keyPart: 'away', times: 9, status: 503 })
  await assertReason('unavailable', () => store.readWhole('away', { maxBytes: 100 }))
})

test('a connection cut in the middle is resumed there: no byte twice, none lost', async () => {
  const store = patient()
  const bytes = Buffer.alloc(3_000_000, 'wharf')
  await store.createIfAbsent('cut', bytes)
  const { etag, sizeBytes } = (await store.head('cut')) ?? { etag: '', sizeBytes: 0 }
  await new Promise((resolve) => setTimeout(resolve, 0))
  server.fault({ operation: 'GetObject', keyPart: 'cut', times: 2, cutAfterBytes: 700_001 })
  const pieces: Uint8Array[] = []
  const result = await store.feed('cut', { etag, sizeBytes, shouldStop: () => false }, (piece) =>
    pieces.push(Uint8Array.from(piece)),
  )
  assert.equal(result.bytesFed, bytes.length)
  assert.ok(Buffer.concat(pieces).equals(bytes))
})

test('an object that we may not read is denied at once, not retried', async () => {
  const store = patient()
  await store.createIfAbsent('secret', 'x')
  server.fault({
    operation: 'GetObject',
    keyPart: 'secret',
    times: 9,
    status: 403,
    code: 'AccessDenied',
  })
  server.resetRequests()
  await assertReason('denied', () => store.readWhole('secret', { maxBytes: 10 }))
  assert.equal(server.requests()['GetObject'], 1)
})

test('a listing is resumed after the last key it gave', async () => {
  const store = patient()
  const keys = Array.from({ length: 30 }, (_, i) => `listed/${String(i).padStart(3, '0')}`)
  for (const key of keys) await store.createIfAbsent(key, '')
  server.fault({ operation: 'ListObjectsV2', times: 2, status: 503 })
  assert.deepEqual(await keysUnder(store, 'listed/'), keys)
})

test("the store's own full-object checksum is announced before the bytes", async () => {
  const store = plain()
  await store.createIfAbsent('witness', '123456789')
  server.setHeaders('faults', 'some/prefix/witness', {
    'x-amz-checksum-crc64nvme': Buffer.from('ae8b14860a799888', 'hex').toString('base64'),
    'x-amz-checksum-type': 'FULL_OBJECT',
  })
  const { etag, sizeBytes } = (await store.head('witness')) ?? { etag: '', sizeBytes: 0 }
  const order: string[] = []
  const result = await store.feed(
    'witness',
    {
      etag,
      sizeBytes,
      shouldStop: () => false,
      onStoredChecksum: (algorithm) => order.push(algorithm),
    },
    () => order.push('bytes'),
  )
  assert.deepEqual(order, ['crc64nvme', 'bytes'])
  assert.deepEqual(result.storedChecksum, { algorithm: 'crc64nvme', value: 'ae8b14860a799888' })
})

test('tags are read, and an unfinished multipart upload is seen', async () => {
  const store = plain()
  await store.createIfAbsent('tagged', 'x')
  server.setTags('faults', 'some/prefix/tagged', { GuardDutyMalwareScanStatus: 'NO_THREATS_FOUND' })
  assert.deepEqual(await store.tags('tagged'), { GuardDutyMalwareScanStatus: 'NO_THREATS_FOUND' })
  assert.equal(await store.hasOpenUploads('arriving/'), false)
  const { S3Client, CreateMultipartUploadCommand } = await import('@aws-sdk/client-s3')
  const client = new S3Client({
    endpoint: server.endpoint,
    forcePathStyle: true,
    region: 'eu-west-2',
  })
  await client.send(
    new CreateMultipartUploadCommand({ Bucket: 'faults', Key: 'some/prefix/arriving/part' }),
  )
  client.destroy()
  assert.equal(await store.hasOpenUploads('arriving/'), true)
})

test('a store that ignores create-if-absent is found out', async () => {
  const { storeSelfTest } = await import('./open-store.ts')
  const careless = { ...plain(), createIfAbsent: async () => 'created' as const }
  await assert.rejects(() => storeSelfTest(careless), /ignores create-if-absent/)
})

test.run()
