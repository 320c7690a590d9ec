import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import type { UploadedPart } from '../adapters/s3-presign.ts'
import { sendFile, Slots, type LocalFile } from './file-upload.ts'
import { beginJournal, readJournal } from './journal.ts'
import { LandingError, type Landing } from './landing.ts'

const test = suite('file upload')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-upload-'))
test.after(() => rmSync(folder, { recursive: true }))

const PART_BYTES = 1000

/** Takes parts over HTTP; `answer` decides when each is answered, and with what. */
async function partServer(
  answer: (part: number, reply: (status: number) => void) => void,
): Promise<{ url: string; received: Map<number, Buffer>; close(): Promise<void> }> {
  const received = new Map<number, Buffer>()
  const server = createServer((request, response: ServerResponse) => {
    const part = Number(request.url?.slice(1))
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      answer(part, (status) => {
        if (status === 200) received.set(part, Buffer.concat(pieces))
        response.writeHead(status, { etag: `"${part}"` }).end()
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function landingOf(url: string, completed: UploadedPart[]): Landing {
  const never = () => Promise.reject(new Error('bug: not asked for'))
  return {
    address: url,
    begin: never,
    // eslint-disable-next-line require-yield
    arrived: async function* () {
      await never()
    },
    offer: async (_transfer, { sizeBytes }) => ({
      kind: 'multipart',
      uploadId: 'upload',
      parts: Array.from({ length: Math.ceil(sizeBytes / PART_BYTES) }, (_, i) => ({
        partNumber: i + 1,
        firstByte: i * PART_BYTES,
        sizeBytes: Math.min(PART_BYTES, sizeBytes - i * PART_BYTES),
        request: { method: 'PUT', url: `${url}/${i + 1}`, headers: {} },
      })),
    }),
    completeParts: async (_transfer, _key, _uploadId, parts) => void completed.push(...parts),
    complete: never,
    close: async () => undefined,
  }
}

async function upload(name: string, landing: Landing, slots: number) {
  const bytes = randomBytes(PART_BYTES * 5 + 17)
  const file = join(folder, name)
  writeFileSync(file, bytes)
  const journal = `${file}.journal`
  beginJournal(journal, { to: landing.address, source: 'drive', transferId: 't' })
  const one: LocalFile = { key: `records/${name}`, file, sizeBytes: bytes.byteLength, etag: 'e' }
  const sending = {
    landing,
    journal,
    slots: new Slots(slots),
    signal: AbortSignal.timeout(20_000),
  }
  const read = readJournal(journal)
  assert.ok(read)
  const sha256 = await sendFile(sending, read, one, undefined, () => undefined)
  assert.equal(sha256, createHash('sha256').update(bytes).digest('hex'))
  return { bytes, journal }
}

test('parts of one file are on their way together, answered in any order, and put together in theirs', async () => {
  const waiting: (() => void)[] = []
  // The first is answered only after two later ones have come: one after another would never end.
  const server = await partServer((part, reply) => {
    if (part <= 3) {
      waiting.push(() => reply(200))
      if (waiting.length === 3) for (const go of waiting.reverse()) go()
    } else reply(200)
  })
  const completed: UploadedPart[] = []
  try {
    const { bytes, journal } = await upload('together', landingOf(server.url, completed), 3)
    assert.deepEqual(
      completed.map(({ partNumber }) => partNumber),
      [1, 2, 3, 4, 5, 6],
    )
    const received = [...server.received].sort(([a], [b]) => a - b).map(([, part]) => part)
    assert.ok(Buffer.concat(received).equals(bytes))
    assert.equal(readFileSync(journal, 'utf8').split('"kind":"part"').length - 1, 6)
  } finally {
    await server.close()
  }
})

test('a part that fails is sent again alone, and one that is refused ends the upload', async () => {
  const asked: number[] = []
  const busy = await partServer((part, reply) => {
    asked.push(part)
    reply(part === 2 && asked.filter((one) => one === 2).length === 1 ? 503 : 200)
  })
  const completed: UploadedPart[] = []
  try {
    await upload('busy', landingOf(busy.url, completed), 2)
    assert.equal(completed.length, 6)
    assert.equal(asked.length, 7, asked.join())
  } finally {
    await busy.close()
  }
  const refusing = await partServer((part, reply) => reply(part === 2 ? 403 : 200))
  try {
    await assert.rejects(() => upload('refused', landingOf(refusing.url, []), 2), LandingError)
  } finally {
    await refusing.close()
  }
})

test.run()
