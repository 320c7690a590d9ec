import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import { compareKeys } from '../model/key-order.ts'
import { storeSelfTest } from './open-store.ts'
import { StoreError, type Store, type StoreErrorReason } from './store.ts'

export type StoreUnderTest = { readonly store: Store; close(): Promise<void> }

const ODD_KEYS = [
  'a b.txt',
  'plus+sign.txt',
  '100%.txt',
  '%41.txt',
  'Zo\u00eb.txt',
  'Zoe\u0308.txt',
  'line\nbreak.txt',
  '\u{1F4C4}.txt',
  '\uFFFD.txt',
  'a&b<c>"d\'.txt',
  'back\\slash.txt',
  'trailing space ',
  'sub/folder/deep.txt',
  'sub/folder.txt',
  'sub-folder.txt',
]

export type ContractOptions = {
  readonly manyKeys: number
  /** S3 holds `a` beside `a/b`; a folder does not. */
  readonly holdsAnyKey: boolean
  readonly holdsLineBreaks: boolean
}

/** What every Store promises. `make` gives an empty one; each test uses keys of its own. */
export function describeStoreContract(
  name: string,
  make: () => Promise<StoreUnderTest>,
  options: ContractOptions,
): void {
  const test = suite(`store contract: ${name}`)
  let opened: StoreUnderTest
  let store: Store
  test.before(async () => {
    opened = await make()
    store = opened.store
  })
  test.after(() => opened.close())

  test('keys of every odd kind are written, listed in byte order and read back', async () => {
    const odd = ODD_KEYS.filter((key) => options.holdsLineBreaks || !key.includes('\n'))
    for (const key of odd) assert.equal(await store.createIfAbsent(`odd/${key}`, key), 'created')
    const listed = await keysUnder(store, 'odd/')
    assert.deepEqual(listed, odd.map((key) => `odd/${key}`).sort(compareKeys))
    for (const key of odd) assert.equal(await readText(store, `odd/${key}`), key)
  })

  test('the age of an object is told by the store, and grows', async () => {
    await store.createIfAbsent('aged', 'now')
    const young = await store.ageMs('aged')
    assert.ok(young !== undefined && young >= 0 && young < 60_000, String(young))
    await new Promise((resolve) => setTimeout(resolve, 1100)) // S3 counts seconds
    assert.ok(((await store.ageMs('aged')) ?? 0) > young)
    assert.equal(await store.ageMs('never written'), undefined)
  })

  test('a tag comes beside those there are, to the object that was meant', async () => {
    await store.createIfAbsent('tagged', 'x')
    const { etag } = (await store.head('tagged')) ?? { etag: '' }
    const add = (key: string, value: string, pin = etag) =>
      store.addTag('tagged', { key, value }, { etag: pin })
    if ((await store.tags('tagged')) === undefined) {
      await assertReason('unrepresentable', () => add('one', '1'))
      return
    }
    await add('one', '1')
    await add('two', '2')
    assert.deepEqual(await store.tags('tagged'), { one: '1', two: '2' })
    await assertReason('changed', () => add('three', '3', 'another'))
  })

  test('it tells what time it is, where that can differ from ours', async () => {
    const { clock, keepsVersions } = await store.inspect()
    if (clock !== undefined) assert.ok(Math.abs(clock.getTime() - Date.now()) < 60_000)
    assert.equal(keepsVersions, false) // none of the stores under test has been told to
  })

  test('a listing goes on after any key, and pages do not show', async () => {
    const keys = Array.from(
      { length: options.manyKeys },
      (_, i) => `many/${String(i).padStart(6, '0')}`,
    )
    for (let i = 0; i < keys.length; i += 50)
      await Promise.all(keys.slice(i, i + 50).map((key) => store.createIfAbsent(key, '')))
    assert.deepEqual(await keysUnder(store, 'many/'), keys)
    const from = Math.floor(keys.length / 3)
    assert.deepEqual(await keysUnder(store, 'many/', keys[from]), keys.slice(from + 1))
    assert.deepEqual(await keysUnder(store, 'many/', `${keys[from] ?? ''}x`), keys.slice(from + 1))
    assert.deepEqual(await keysUnder(store, 'many/', 'many/9'), [])
    assert.deepEqual(await keysUnder(store, 'nothing/'), [])
  })

  test('a level shows folders and objects, in key order', async () => {
    await store.createIfAbsent('level/one/a', 'a')
    await store.createIfAbsent('level/two/b/c', 'c')
    await store.createIfAbsent('level/top.json', '{}')
    await store.createIfAbsent('level/middle', '')
    const entries = []
    for await (const entry of store.listLevel('level/')) entries.push(`${entry.kind} ${entry.name}`)
    assert.deepEqual(entries, ['object middle', 'folder one', 'object top.json', 'folder two'])
  })

  test('of 32 writers at once exactly one is told that it was first', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 32 }, (_, i) => store.createIfAbsent('race', `writer ${i}`)),
    )
    assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 1)
    assert.equal(await readText(store, 'race'), `writer ${outcomes.indexOf('created')}`)
  })

  test('the self-test passes, now and at every later start', async () => {
    await storeSelfTest(store)
    await storeSelfTest(store)
  })

  test('an object is fed once, in order and whole, whatever its size', async () => {
    for (const sizeBytes of [0, 1, 70_000, 20 * 1024 * 1024 + 7]) {
      const bytes = patterned(sizeBytes)
      const key = `feed/${sizeBytes}`
      await store.write(key, inPieces(bytes))
      const object = await store.head(key)
      assert.equal(object?.sizeBytes, sizeBytes)
      const hash = createHash('sha256')
      const result = await store.feed(
        key,
        { etag: object?.etag ?? '', sizeBytes, shouldStop: () => false },
        (piece) => hash.update(piece),
      )
      assert.equal(result.stopped, false)
      assert.equal(result.bytesFed, sizeBytes)
      assert.equal(hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'))
    }
  })

  test('feeding can begin in the middle and stops soon after it is told to', async () => {
    const bytes = patterned(20 * 1024 * 1024)
    await store.write('middle', inPieces(bytes))
    const { etag, sizeBytes } = (await store.head('middle')) ?? { etag: '', sizeBytes: 0 }
    const rest: Uint8Array[] = []
    await store.feed(
      'middle',
      { etag, sizeBytes, startByte: sizeBytes - 1000, shouldStop: () => false },
      (piece) => rest.push(Uint8Array.from(piece)),
    )
    assert.deepEqual(Buffer.concat(rest), Buffer.from(bytes.subarray(sizeBytes - 1000)))
    let fed = 0
    const stopped = await store.feed(
      'middle',
      { etag, sizeBytes, shouldStop: () => fed > 0 },
      (piece) => (fed += piece.byteLength),
    )
    assert.equal(stopped.stopped, true)
    assert.ok(fed < sizeBytes)
  })

  test('an object that was replaced after listing is changed, not read', async () => {
    await store.write('pinned', 'first')
    const before = await store.head('pinned')
    await store.write('pinned', 'second and longer')
    const pinned = { etag: before?.etag ?? '' }
    await assertReason('changed', () => store.readWhole('pinned', { ...pinned, maxBytes: 100 }))
    await assertReason('changed', () =>
      store.feed('pinned', { ...pinned, sizeBytes: 5, shouldStop: () => false }, () => undefined),
    )
    await assertReason('changed', async () => {
      for await (const _piece of store.stream('pinned', pinned))
        assert.fail('bytes of the wrong object')
    })
    assert.equal(await readText(store, 'pinned'), 'second and longer')
  })

  test('streams are written whole and read from any byte', async () => {
    const bytes = patterned(11 * 1024 * 1024)
    await store.write('streamed', inPieces(bytes))
    assert.equal((await store.head('streamed'))?.sizeBytes, bytes.length)
    const pieces: Uint8Array[] = []
    for await (const piece of store.stream('streamed', { startByte: 5_000_000 }))
      pieces.push(Uint8Array.from(piece))
    assert.deepEqual(Buffer.concat(pieces), Buffer.from(bytes.subarray(5_000_000)))
  })

  test('what is not there is missing, and what is too large is refused', async () => {
    assert.equal(await store.head('absent'), undefined)
    await assertReason('missing', () => store.readWhole('absent', { maxBytes: 10 }))
    await assertReason('missing', () =>
      store.feed('absent', { etag: 'x', sizeBytes: 1, shouldStop: () => false }, () => undefined),
    )
    await store.createIfAbsent('large', 'x'.repeat(1000))
    await assertReason('tooLarge', () => store.readWhole('large', { maxBytes: 999 }))
  })

  test("a caller's abort ends a call with its own reason", async () => {
    const signal = AbortSignal.abort()
    await assertReason('aborted', () => store.readWhole('race', { maxBytes: 100, signal }))
    await assertReason('aborted', () => store.createIfAbsent('never', 'x', { signal }))
    assert.equal(await store.head('never'), undefined)
    for (const sizeBytes of [5_000_000, 70_000_000]) {
      await store.write('midway', inPieces(Buffer.alloc(sizeBytes)))
      const stop = new AbortController()
      await assertReason('aborted', async () => {
        for await (const _piece of store.stream('midway', { signal: stop.signal }))
          stop.abort(new Error('draining'))
      })
    }
    const { etag, sizeBytes } = (await store.head('midway')) ?? { etag: '', sizeBytes: 0 }
    const stop = new AbortController()
    await assertReason('aborted', () =>
      store.feed('midway', { etag, sizeBytes, shouldStop: () => false, signal: stop.signal }, () =>
        stop.abort(new Error('draining')),
      ),
    )
  })

  test('a key that the store cannot hold is refused by name', async () => {
    const keys = options.holdsAnyKey
      ? ['x'.repeat(1100), 'lone \ud800 surrogate', '../out', 'a/../b', './a']
      : ['a//b', '../out', 'a/../b', './a', 'x'.repeat(256), 'nul\0']
    for (const key of keys)
      await assertReason('unrepresentable', () => store.createIfAbsent(key, 'x'))
    if (options.holdsAnyKey) {
      const room = 1024 - store.address.replace(/^s3:\/\/[^/]+\//, '').length
      await assertReason('unrepresentable', () => store.createIfAbsent('k'.repeat(room + 1), 'x'))
      const keys = ['k'.repeat(room), 'file', 'file/below', 'file//below', 'file/'].sort(
        compareKeys,
      )
      for (const key of keys) {
        assert.equal(await store.createIfAbsent(key, key), 'created')
        assert.equal(await readText(store, key), key)
      }
      const listed = [...(await keysUnder(store, 'file')), ...(await keysUnder(store, 'kk'))]
      assert.deepEqual(listed, keys)
    } else {
      await store.createIfAbsent('file', 'x')
      await assertReason('unrepresentable', () => store.createIfAbsent('file/below', 'x'))
      await store.createIfAbsent('folder/below', 'x')
      await assertReason('unrepresentable', () => store.createIfAbsent('folder', 'x'))
    }
  })

  test.run()
}

export async function keysUnder(
  store: Store,
  prefix: string,
  startAfter?: string,
): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list({
    prefix,
    ...(startAfter === undefined ? {} : { startAfter }),
  }))
    keys.push(key)
  return keys
}

async function readText(store: Store, key: string): Promise<string> {
  return Buffer.from(await store.readWhole(key, { maxBytes: 1024 * 1024 })).toString()
}

export async function assertReason(
  reason: StoreErrorReason,
  call: () => Promise<unknown>,
): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof StoreError, `a StoreError, not ${String(error)}`)
    assert.equal(error.reason, reason)
    return true
  })
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += 300_000) yield bytes.subarray(i, i + 300_000)
}

function patterned(sizeBytes: number): Uint8Array {
  const bytes = Buffer.alloc(sizeBytes)
  for (let i = 0; i + 4 <= sizeBytes; i += 4) bytes.writeUInt32LE(Math.imul(i, 2654435761) >>> 0, i)
  return bytes
}
