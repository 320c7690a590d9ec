import assert from 'node:assert/strict'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { Refusal } from '../run/decisions.ts'
import { linkTree } from './link-tree.ts'

const test = suite('linking a folder')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-link-'))
test.after(() => rmSync(folder, { recursive: true }))

const from = join(folder, 'from')
mkdirSync(join(from, 'sub'), { recursive: true })
writeFileSync(join(from, 'sub/a.txt'), 'a')
symlinkSync('/etc/hostname', join(from, 'link'))

function failing(code: string) {
  return () => {
    throw Object.assign(new Error(code), { code })
  }
}

test('files are linked, and what is no file is left out', () => {
  const to = join(folder, 'linked')
  linkTree(from, to, linkSync)
  assert.deepEqual(readdirSync(to), ['sub'])
  assert.equal(statSync(join(to, 'sub/a.txt')).ino, statSync(join(from, 'sub/a.txt')).ino)
})

test("files that nobody may link are copied: another person's, on another disk, on a memory stick", () => {
  for (const code of ['EPERM', 'EXDEV', 'ENOTSUP']) {
    const to = join(folder, code)
    linkTree(from, to, failing(code))
    assert.equal(readFileSync(join(to, 'sub/a.txt'), 'utf8'), 'a')
  }
})

test('what cannot be read is refused by name; any other failure is not hidden', () => {
  assert.throws(() => linkTree(join(folder, 'none'), join(folder, 'x'), linkSync), {
    name: Refusal.name,
    message: /none cannot be read \(ENOENT\)/,
  })
  assert.throws(() => linkTree(from, join(folder, 'y'), failing('EIO')), { message: 'EIO' })
})

test.run()
