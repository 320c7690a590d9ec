import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { createFolderLanding } from './folder-landing.ts'
import { StoreError } from './store.ts'

const test = suite('landing in a folder')

const folder = mkdtempSync(join(tmpdir(), 'wharfinger-landing-'))
const landing = createFolderLanding(folder)

async function* pieces(...texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text)
}

test('a body arrives once and is never replaced', async () => {
  assert.equal(await landing.receive('a/records/one', pieces('hel', 'lo')), 'created')
  assert.equal(await landing.receive('a/records/one', pieces('other')), 'exists')
  assert.equal(readFileSync(join(folder, 'a/records/one'), 'utf8'), 'hello')
})

test('of a body that breaks off nothing is left', async () => {
  async function* broken() {
    yield Buffer.from('half')
    throw new Error('cut')
  }
  await assert.rejects(landing.receive('a/records/two', broken()), /cut/)
  assert.deepEqual(readdirSync(join(folder, 'a/records')), ['one'])
  assert.deepEqual(readdirSync(join(folder, '.wharfinger-tmp')), [])
})

test('nothing arrives outside of the folder', async () => {
  for (const key of ['../out', 'a/../../out', '/etc/x', 'a//b', '.wharfinger-tmp/x'])
    await assert.rejects(landing.receive(key, pieces('x')), (error) => {
      return error instanceof StoreError && error.reason === 'unrepresentable'
    })
})

test.after(() => rmSync(folder, { recursive: true, force: true }))

test.run()
