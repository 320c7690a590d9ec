import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import { bytesOfKey, keyOfLatin1 } from './folder-names.ts'
import { createFolderStore } from './folder-store.ts'
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

const test = suite('folder store')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-folder-'))
test.after(() => rmSync(folder, { recursive: true }))

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
  const [key] = await keysUnder(store, '')
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
