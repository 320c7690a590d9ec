import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { suite } from 'uvu'
import { startS3Server, type S3Server } from '../../fixtures/servers/s3-server.ts'
import { retrying } from './retrying-store.ts'
import { createS3Store } from './s3-store.ts'
import { StoreError } from './store.ts'
import type { Store } from './store.ts'
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

const fullCrc = (hex: string) => ({
  'x-amz-checksum-crc64nvme': Buffer.from(hex, 'hex').toString('base64'),
  'x-amz-checksum-type': 'FULL_OBJECT',
})

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

test('a large object cut in the middle keeps its stored checksum and the order of its bytes', async () => {
  const store = patient()
  const bytes = Buffer.alloc(18 * 1024 * 1024)
  for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(i, i)
  await store.write(
    'long',
    (async function* () {
      yield bytes
    })(),
  )
  server.setHeaders('faults', 'some/prefix/long', fullCrc('0123456789abcdef'))
  const { etag, sizeBytes } = (await store.head('long')) ?? { etag: '', sizeBytes: 0 }
  server.fault({ operation: 'GetObject', keyPart: 'long', times: 7, cutAfterBytes: 2_000_003 })
  const order: string[] = []
  const pieces: Uint8Array[] = []
  const result = await store.feed(
    'long',
    {
      etag,
      sizeBytes,
      shouldStop: () => false,
      onStoredChecksum: (algorithm) => order.push(`${algorithm} at ${pieces.length}`),
    },
    (piece) => pieces.push(Uint8Array.from(piece)),
  )
  assert.ok(Buffer.concat(pieces).equals(bytes))
  assert.deepEqual(order, ['crc64nvme at 0'])
  assert.equal(result.bytesFed, sizeBytes)
  assert.equal(result.storedChecksum?.value, '0123456789abcdef')
})

test('a small object cut in the middle keeps its stored checksum', async () => {
  const store = patient()
  await store.createIfAbsent('short', Buffer.alloc(100_000, 'x'))
  server.setHeaders('faults', 'some/prefix/short', fullCrc('0123456789abcdef'))
  const { etag, sizeBytes } = (await store.head('short')) ?? { etag: '', sizeBytes: 0 }
  server.fault({ operation: 'GetObject', keyPart: 'short', times: 1, cutAfterBytes: 70_000 })
  let announced = 0
  const result = await store.feed(
    'short',
    { etag, sizeBytes, shouldStop: () => false, onStoredChecksum: () => announced++ },
    () => undefined,
  )
  assert.equal(announced, 1)
  assert.equal(result.bytesFed, sizeBytes)
  assert.equal(result.storedChecksum?.value, '0123456789abcdef')
})

test('a stored checksum that does not fit the bytes is passed on for the report, not thrown', async () => {
  const store = plain()
  await store.createIfAbsent('rotten', '123456789')
  server.setHeaders('faults', 'some/prefix/rotten', fullCrc('0000000000000000'))
  const { etag, sizeBytes } = (await store.head('rotten')) ?? { etag: '', sizeBytes: 0 }
  const result = await store.feed(
    'rotten',
    { etag, sizeBytes, shouldStop: () => false },
    () => undefined,
  )
  assert.equal(result.storedChecksum?.value, '0000000000000000')
})

test('a server that falls silent in the middle of a body is unavailable, not waited for', async () => {
  const store = createS3Store(address(server.endpoint, 'faults'), 300)
  await store.createIfAbsent('silent', Buffer.alloc(1_000_000, 'x'))
  server.fault({
    operation: 'GetObject',
    keyPart: 'silent',
    times: 1,
    cutAfterBytes: 70_000,
    stall: true,
  })
  await assertReason('unavailable', () => store.readWhole('silent', { maxBytes: 2_000_000 }))
  await store.close()
})

test('a write whose answer is lost was made: the second try finds it there', async () => {
  const store = patient()
  server.fault({ operation: 'PutObject', keyPart: 'unheard', times: 1, loseAnswer: true })
  assert.equal(await store.createIfAbsent('unheard', 'mine'), 'exists')
  assert.equal(Buffer.from(await store.readWhole('unheard', { maxBytes: 9 })).toString(), 'mine')
})

test('one refused part does not spoil a streamed write', async () => {
  const store = plain()
  server.fault({ operation: 'UploadPart', times: 2, status: 503, code: 'SlowDown' })
  await store.write(
    'parts',
    (async function* () {
      for (let i = 0; i < 10; i++) yield Buffer.alloc(1024 * 1024, i)
    })(),
  )
  assert.equal((await store.head('parts'))?.sizeBytes, 10 * 1024 * 1024)
})

test('an object that goes on failing for good is given up, with its reason, and no further', async () => {
  const store = patient()
  await store.createIfAbsent('hopeless', Buffer.alloc(100_000))
  const { etag, sizeBytes } = (await store.head('hopeless')) ?? { etag: '', sizeBytes: 0 }
  server.resetRequests()
  server.fault({ operation: 'GetObject', keyPart: 'hopeless', times: 5, status: 500 })
  await assertReason('unavailable', () =>
    store.feed('hopeless', { etag, sizeBytes, shouldStop: () => false }, () => undefined),
  )
  assert.equal(server.requests()['GetObject'], 5)
})

test("an abort is an abort, whatever the caller's reason and even between two tries", async () => {
  const reasons = [undefined, new Error('draining'), new DOMException('late', 'TimeoutError')]
  for (const reason of reasons)
    await assertReason('aborted', () =>
      plain().readWhole('any', { maxBytes: 1, signal: AbortSignal.abort(reason) }),
    )
  const stop = new AbortController()
  const store = retrying(plain(), {
    attempts: 5,
    baseDelayMs: 60_000,
    maxDelayMs: 60_000,
    random: () => 1,
  })
  server.fault({ operation: 'GetObject', keyPart: 'waiting', times: 1, status: 503 })
  const reading = store.readWhole('waiting', { maxBytes: 1, signal: stop.signal })
  setTimeout(() => stop.abort(new Error('draining')), 50)
  await assertReason('aborted', () => reading)
})

test('a server without create-if-absent is refused at once', async () => {
  server.resetRequests()
  server.fault({
    operation: 'PutObject',
    keyPart: 'never',
    times: 1,
    status: 501,
    code: 'NotImplemented',
  })
  await assertReason('denied', () => patient().createIfAbsent('never', 'x'))
  assert.equal(server.requests()['PutObject'], 1)
})

test('a host that nobody answers at is unavailable', async () => {
  for (const endpoint of ['http://127.0.0.1:1', 'http://localhost:1'])
    await assertReason('unavailable', () => createS3Store(address(endpoint, 'faults')).head('x'))
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
  const overwriting: Store = {
    ...plain(),
    createIfAbsent: async (key, bytes) => {
      await plain().write(key, bytes)
      return 'exists'
    },
  }
  await assert.rejects(() => storeSelfTest(overwriting), /ignores create-if-absent/)
})

test('a writer that dies in the middle of a body blocks nobody who writes the same key', async () => {
  const store = patient()
  const dying = connect(Number(new URL(server.endpoint).port), '127.0.0.1')
  await once(dying, 'connect')
  dying.write(
    'PUT /faults/some/prefix/half HTTP/1.1\r\nhost: x\r\nif-none-match: *\r\ncontent-length: 1000\r\n\r\nhalf',
  )
  await new Promise((resolve) => setTimeout(resolve, 50)) // until the server has begun to read it
  dying.destroy()
  assert.equal(await store.createIfAbsent('half', 'whole'), 'created')
  assert.equal(Buffer.from(await store.readWhole('half', { maxBytes: 10 })).toString(), 'whole')
})

test('what is wrong with the surroundings is said with what to do, without a request', async () => {
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE']) delete process.env[name]
  process.env['AWS_CONFIG_FILE'] = '/nowhere/config'
  const nowhere = createS3Store({ kind: 's3', bucket: 'records', prefix: '' })
  await assert.rejects(
    nowhere.head('a'),
    (error) =>
      error instanceof StoreError &&
      error.reason === 'denied' &&
      error.message.startsWith('a: no AWS region is known: set AWS_REGION'),
  )
  await nowhere.close()
})

test.run()
