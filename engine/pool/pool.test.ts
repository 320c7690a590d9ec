import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { createFolderStore } from '../adapters/folder-store.ts'
import { zoneWithDefaults } from '../config.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import type { CheckedFile, ChunkTask } from './messages.ts'
import { createCheckPool } from './pool.ts'

const test = suite('worker pool')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-pool-'))
const zone = { kind: 'folder', path: folder } as const
test.after(() => rmSync(folder, { recursive: true }))

mkdirSync(join(folder, 'records'))
for (let i = 0; i < 8; i++) {
  // Sparse files: large to read, free to make.
  writeFileSync(join(folder, 'records', `large ${i}`), '')
  truncateSync(join(folder, 'records', `large ${i}`), 400 * 1024 * 1024)
  writeFileSync(join(folder, 'records', `small ${i}`), `${i}`)
}

const filesOf = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as CheckedFile)

async function taskFor(
  name: string,
  more: Partial<ChunkTask> = {},
): Promise<Omit<ChunkTask, 'stopFlag'>> {
  const entries: InventoryEntry[] = []
  for await (const { key, sizeBytes, etag } of createFolderStore(folder).list({
    prefix: `records/${name}`,
  })) {
    entries.push({ key, path: key, sizeBytes, etag, stated: [] })
  }
  return {
    store: zone,
    transferPrefix: '',
    entries,
    sealedOn: '2026-11-24',
    jobIds: ['sha256'],
    settings: zoneWithDefaults('zone', zone).settings,
    checkpoints: { store: { kind: 'folder', path: join(folder, 'state') }, prefix: 'checkpoints/' },
    limits: { resumableAboveBytes: 2 ** 40, checkpointEveryBytes: 2 ** 30, concurrentReads: 1 },
    ...more,
  }
}

test('a stop with every thread busy hands the work back: no worker is killed with a chunk in it', async () => {
  const pool = createCheckPool({ threads: 4 })
  await Promise.all(
    Array.from({ length: 4 }, async (_, i) => pool.check(await taskFor(`small ${i}`))),
  )
  const busy = await Promise.all(Array.from({ length: 8 }, (_, i) => taskFor(`large ${i}`)))
  const replies = busy.map((task) => pool.check(task))
  await new Promise((resolve) => setTimeout(resolve, 30))
  await pool.stop()
  for (const reply of await Promise.all(replies))
    assert.ok(reply.kind === 'handed back' || reply.kind === 'checked', reply.kind)
  assert.ok((await Promise.all(replies)).some(({ kind }) => kind === 'handed back'))
  assert.deepEqual(await pool.check(await taskFor('small 1')), { kind: 'handed back' })
})

test('a chunk that ends its worker is told so; the chunks beside and after it are checked', async () => {
  const pool = createCheckPool({ threads: 1 })
  // A path that no message can carry further makes the worker's thread end: a getter cannot be
  // cloned, so the nearest honest way is a worker out of memory.
  const entries: InventoryEntry[] = [
    { key: 'records/small 1', path: 'x', sizeBytes: 1, etag: 'e', stated: [] },
  ]
  const deadly = pool.check(await taskFor('small 1', { entries, jobIds: ['no such job'] }))
  const after = pool.check(await taskFor('small 2'))
  assert.equal((await deadly).kind, 'bug')
  assert.equal((await after).kind, 'checked')
  await pool.stop()
})

test('what a store cannot give comes back as an outcome, never as an exception', async () => {
  const pool = createCheckPool({ threads: 1 })
  const gone: InventoryEntry = {
    key: 'records/gone',
    path: 'gone',
    sizeBytes: 1,
    etag: 'e',
    stated: [],
  }
  const other: InventoryEntry = {
    key: 'records/small 1',
    path: 'other',
    sizeBytes: 1,
    etag: 'not this one',
    stated: [],
  }
  const reply = await pool.check(await taskFor('x', { entries: [gone, other] }))
  assert.equal(reply.kind, 'checked')
  if (reply.kind !== 'checked') return
  assert.deepEqual(
    filesOf(reply.lines).map(({ outcomes }) => outcomes['sealed']),
    [
      { kind: 'failed', findings: [{ code: 'FILE.REMOVED' }] },
      { kind: 'failed', findings: [{ code: 'FILE.CHANGED' }] },
    ],
  )
  await pool.stop()
})

test('chunks wait their turn, first come first served, however many there are', async () => {
  const pool = createCheckPool({ threads: 1 })
  const order: number[] = []
  const task = await taskFor('small 1')
  await Promise.all(
    Array.from({ length: 60 }, (_, i) => pool.check(task).then(() => order.push(i))),
  )
  assert.deepEqual(
    order,
    Array.from({ length: 60 }, (_, i) => i),
  )
  await pool.stop()
})

test('files over the threshold are hashed with a saved state and have the same digest', async () => {
  const pool = createCheckPool({ threads: 1 })
  const limits = { resumableAboveBytes: 100, checkpointEveryBytes: 1000, concurrentReads: 1 }
  writeFileSync(join(folder, 'records', 'medium'), 'x'.repeat(5000))
  const plain = await pool.check(await taskFor('medium'))
  const saved = await pool.check(await taskFor('medium', { limits }))
  assert.ok(plain.kind === 'checked' && saved.kind === 'checked')
  assert.deepEqual(filesOf(saved.lines)[0]?.digests, filesOf(plain.lines)[0]?.digests)
  await pool.stop()
})

test.run()
