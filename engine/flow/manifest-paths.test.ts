import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { applyRule, asWritten, chooseRule } from './manifest-paths.ts'

const test = suite('manifest paths')

async function read(written: readonly string[], received: readonly string[], top?: string) {
  const rule = await chooseRule(written, top, async (path) => received.includes(path))
  return written.map((path) => applyRule(rule, path))
}

test('a manifest made inside the folder is taken as written', async () => {
  assert.deepEqual(await read(['./a/b.txt', 'c.txt'], ['a/b.txt', 'c.txt']), ['a/b.txt', 'c.txt'])
})

test('a manifest made above records/ loses that prefix', async () => {
  assert.deepEqual(await read(['records/a/b.txt', 'records/c.txt'], ['a/b.txt', 'c.txt']), [
    'a/b.txt',
    'c.txt',
  ])
})

test('a manifest made inside the only top folder gains its name', async () => {
  assert.deepEqual(await read(['b.txt'], ['Finance/b.txt'], 'Finance'), ['Finance/b.txt'])
})

test("another machine's drive letter and separators are taken off", async () => {
  const written = ['D:\\Transfer\\Finance\\a.txt', 'D:\\Transfer\\Legal\\b.txt']
  assert.deepEqual(await read(written, ['Finance/a.txt', 'Legal/b.txt']), [
    'Finance/a.txt',
    'Legal/b.txt',
  ])
})

test('a backslash in a real name is not taken for a separator', async () => {
  assert.deepEqual(await read(['back\\slash.txt'], ['back\\slash.txt']), ['back\\slash.txt'])
})

test('a path that leaves the transfer is refused, however it is written', () => {
  for (const path of ['../x', 'a/../../x', '/etc/passwd', 'C:\\x', 'C:/x', 'a\0b', '']) {
    assert.equal(applyRule(asWritten, path), undefined, JSON.stringify(path))
  }
  assert.equal(applyRule({ backslashes: true, strip: '', add: '' }, '..\\x'), undefined)
})

test.run()
