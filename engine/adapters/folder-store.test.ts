import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import { bytesOfKey, keyOfLatin1 } from './folder-names.ts'
import { createFolderStore } from './folder-store.ts'
import { StoreError, type Store, type StoredObject } from './store.ts'
import { assertReason, describeStoreContract, keysUnder } from './store.contract.ts'

async function makeTempFolderStore() {
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-store-'))
  return {
    store: createFolderStore(folder),
    close: async () => rmSync(folder, { recursive: true }),
  }
}

describeStoreContract('folder', makeTempFolderStore, {
  manyKeys: 300,
  holdsAnyKey: false,
  holdsLineBreaks: true,
})

const levelOf = async (store: Store, prefix: string) => {
  const names: string[] = []
  for await (const { name } of store.listLevel(prefix)) names.push(name)
  return names
}
const throwIt = (error: Error) => {
  throw error
}

const test = suite('folder store')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-folder-'))
test.after(() => rmSync(folder, { recursive: true }))

test('what is read at once is the pinned file whole, or nothing', async () => {
  const root = join(folder, 'at-once')
  mkdirSync(root)
  writeFileSync(join(root, 'small'), 'some bytes')
  writeFileSync(join(root, 'empty'), '')
  writeFileSync(join(root, 'large'), Buffer.alloc(2 * 1024 * 1024))
  execFileSync('mkfifo', [join(root, 'pipe')])
  const store = createFolderStore(root)
  const read = store.readAtOnce
  assert.ok(read)
  const objects = new Map<string, StoredObject>()
  for await (const object of store.list({ prefix: '' })) objects.set(object.key, object)
  const pinned = (key: string) => {
    const { etag, sizeBytes } = objects.get(key) ?? assert.fail(key)
    return { etag, sizeBytes }
  }
  const text = (key: string) => Buffer.from(read(key, pinned(key)) ?? []).toString()
  assert.equal(text('small'), 'some bytes')
  assert.equal(text('empty'), '')
  assert.equal(read('large', pinned('large')), undefined)
  const refuses = (key: string, reason: string) =>
    assert.throws(
      () => read(key, pinned(key)),
      (error: unknown) => error instanceof StoreError && error.reason === reason,
    )
  refuses('pipe', 'changed')
  appendFileSync(join(root, 'small'), '!')
  refuses('small', 'changed')
  rmSync(join(root, 'empty'))
  refuses('empty', 'missing')
  symlinkSync('small', join(root, 'empty'))
  refuses('empty', 'changed')
  assert.throws(() => read('../small', pinned('small')), StoreError)
})

test('links, FIFOs and sockets are listed as what they are and never opened', async () => {
  const root = join(folder, 'irregular')
  mkdirSync(join(root, 'real'), { recursive: true })
  writeFileSync(join(root, 'real', 'file.txt'), 'x')
  symlinkSync('/etc/hostname', join(root, 'link-to-file'))
  symlinkSync(join(root, 'real'), join(root, 'link-to-folder'))
  execFileSync('mkfifo', [join(root, 'pipe')])
  const store = createFolderStore(root)
  const listed = []
  for await (const object of store.list({ prefix: '' }))
    listed.push(`${object.key} ${object.irregular ?? 'file'}`)
  assert.deepEqual(listed, [
    'link-to-file symbolic link',
    'link-to-folder symbolic link',
    'pipe FIFO',
    'real/file.txt file',
  ])
  for (const key of ['link-to-file', 'pipe']) {
    const etag = (await store.head(key))?.etag ?? ''
    await assertReason('changed', () =>
      store.feed(key, { etag, sizeBytes: 0, shouldStop: () => false }, () =>
        assert.fail('bytes of a link'),
      ),
    )
  }
})

test('nothing is listed, read or written through a link or above the root', async () => {
  const outside = join(folder, 'outside')
  const root = join(folder, 'fenced')
  mkdirSync(outside)
  mkdirSync(root)
  writeFileSync(join(outside, 'secret'), 'not ours')
  symlinkSync(outside, join(root, 'link'))
  const store = createFolderStore(root)
  assert.deepEqual(await keysUnder(store, 'link/'), [])
  assert.deepEqual(await levelOf(store, 'link/'), [])
  assert.equal(await store.head('link/secret'), undefined)
  await assertReason('missing', () => store.readWhole('link/secret', { maxBytes: 100 }))
  for (const prefix of ['../', '../outside/', 'a/../../outside/']) {
    await assertReason('unrepresentable', () => keysUnder(store, prefix))
    await assertReason('unrepresentable', () => levelOf(store, prefix))
    await assertReason('unrepresentable', () => store.head(`${prefix}secret`))
  }
  for (const key of ['link/new', 'link/folder/new', '.wharfinger-tmp/new', '../outside/new']) {
    await assertReason('unrepresentable', () => store.createIfAbsent(key, 'x'))
    await assertReason('unrepresentable', () => store.write(key, 'x'))
  }
  assert.deepEqual(readdirSync(outside), ['secret'])
})

test('a file that changes while it is read is changed, whichever way it is read', async () => {
  const root = join(folder, 'growing')
  mkdirSync(root)
  const path = join(root, 'file')
  writeFileSync(path, Buffer.alloc(200_000))
  const store = createFolderStore(root)
  const pinned = (await store.head('file')) ?? assert.fail('the file is there')
  await assertReason('changed', () =>
    store.feed('file', { ...pinned, shouldStop: () => false }, () => appendFileSync(path, 'more')),
  )
  const again = (await store.head('file')) ?? assert.fail('the file is there')
  await assertReason('changed', async () => {
    for await (const _piece of store.stream('file', { etag: again.etag })) {
      writeFileSync(path, Buffer.alloc(again.sizeBytes, 1))
    }
  })
})

test("an error of the reader's own is not taken for one of the disk", async () => {
  const store = createFolderStore(join(folder, 'growing'))
  const pinned = (await store.head('file')) ?? assert.fail('the file is there')
  const own = Object.assign(new TypeError('a bug'), { code: 'ERR_INVALID_ARG_TYPE' })
  await assert.rejects(
    () => store.feed('file', { ...pinned, shouldStop: () => false }, () => throwIt(own)),
    own,
  )
  await assert.rejects(
    () =>
      store.write(
        'copy',
        (async function* () {
          yield Buffer.from('a')
          throw own
        })(),
      ),
    own,
  )
  assert.equal(await store.head('copy'), undefined)
})

test('listing after a key opens no folder that lies before it', async () => {
  const root = join(folder, 'pruned')
  for (const name of ['a', 'b', 'b!', 'c']) {
    mkdirSync(join(root, name), { recursive: true })
    for (const file of ['1', '2']) writeFileSync(join(root, name, file), '')
  }
  const store = createFolderStore(root)
  assert.deepEqual(await keysUnder(store, '', 'b/1'), ['b/2', 'c/1', 'c/2'])
  assert.deepEqual(await keysUnder(store, '', 'b!/1'), ['b!/2', 'b/1', 'b/2', 'c/1', 'c/2'])
})

test('a name that is not UTF-8 keeps its bytes on the way to a key and back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
      const name = Buffer.from(bytes.filter((byte) => byte !== 0 && byte !== 0x2f))
      assert.deepEqual(bytesOfKey(keyOfLatin1(name.toString('latin1'))), name)
    }),
    { seed: 1, numRuns: 2000 },
  )
})

test('a file whose name is not UTF-8 is listed and read', async () => {
  const root = Buffer.concat([Buffer.from(join(folder, 'bytes') + '/')])
  mkdirSync(join(folder, 'bytes'))
  writeFileSync(Buffer.concat([root, Buffer.from([0x63, 0x61, 0x66, 0xe9])]), 'latin1')
  const store = createFolderStore(join(folder, 'bytes'))
  const [key = ''] = await keysUnder(store, '')
  assert.equal(key, 'caf\udce9')
  assert.equal(Buffer.from(await store.readWhole(key, { maxBytes: 10 })).toString(), 'latin1')
})

test('what a killed write left behind is never listed', async () => {
  const root = join(folder, 'killed')
  mkdirSync(join(root, '.wharfinger-tmp'), { recursive: true })
  writeFileSync(join(root, '.wharfinger-tmp', 'torn'), 'half')
  const store = createFolderStore(root)
  await store.createIfAbsent('whole', 'x')
  assert.deepEqual(await keysUnder(store, ''), ['whole'])
  assert.deepEqual(readdirSync(join(root, '.wharfinger-tmp')), ['torn'])
})

test('what was left behind more than a day ago is swept, and a lost folder made again', async () => {
  const root = join(folder, 'swept')
  const temporary = join(root, '.wharfinger-tmp')
  mkdirSync(temporary, { recursive: true })
  writeFileSync(join(temporary, 'old'), 'half')
  utimesSync(join(temporary, 'old'), 1_000_000, 1_000_000)
  writeFileSync(join(temporary, 'new'), 'half')
  const store = createFolderStore(root)
  await store.write('one', 'x')
  assert.deepEqual(readdirSync(temporary), ['new'])
  rmSync(temporary, { recursive: true })
  assert.equal(await store.createIfAbsent('two', 'x'), 'created')
})

test('half a character, or another spelling of one, is refused', async () => {
  const store = createFolderStore(join(folder, 'halves'))
  for (const key of ['\ud83d', 'a/\udc00', '\udcc3\udca9'])
    await assertReason('unrepresentable', () => store.createIfAbsent(key, 'x'))
  assert.equal(await store.createIfAbsent('caf\udce9', 'x'), 'created')
  assert.deepEqual(await keysUnder(store, ''), ['caf\udce9'])
})

test('a full disk is unavailable, a read-only one denied, and neither leaves half an object', async () => {
  const mounted = join(folder, 'small')
  mkdirSync(mounted)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mounted]).status !== 0) {
    console.log('SKIPPED full and read-only disks: this user may not mount one')
    return
  }
  try {
    const store = createFolderStore(mounted)
    await store.createIfAbsent('before', 'x')
    await assertReason('unavailable', () => store.createIfAbsent('large', Buffer.alloc(200_000)))
    assert.deepEqual(await keysUnder(store, ''), ['before'])
    execFileSync('mount', ['-o', 'remount,ro', mounted])
    await assertReason('denied', () => store.createIfAbsent('more', 'x'))
  } finally {
    execFileSync('umount', [mounted])
  }
})

test.run()
