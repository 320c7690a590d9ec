import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { createFolderStore } from '../adapters/folder-store.ts'
import { Refusal } from '../run/decisions.ts'
import { audited, exportAudit, readAudit, type AuditAction, type AuditEntry } from './audit.ts'

const test = suite('audit log')

const folder = mkdtempSync(join(tmpdir(), 'wharfinger-audit-'))
const state = createFolderStore(folder)
let clock = Date.UTC(2026, 10, 23, 23, 59, 59)
const now = () => new Date((clock += 500))

const action = {
  who: 'ann',
  role: 'archivist',
  what: 'accept',
  to: 'WHF-2026-B',
  why: '=1+1, "quoted"',
} as const satisfies AuditAction

async function entries(range = {}): Promise<AuditEntry[]> {
  const found: AuditEntry[] = []
  for await (const { entry } of readAudit(state, range)) found.push(entry)
  return found
}

test('what is asked is written before it is done, and how it ended after', async () => {
  const value = await audited(state, now, action, async () => {
    assert.deepEqual(
      (await entries()).map(({ outcome }) => outcome),
      ['asked'],
    )
    return 7
  })
  assert.equal(value, 7)
  const [asked, done] = await entries()
  assert.equal(done?.outcome, 'done')
  assert.equal(done?.asked, asked?.id)
})

test('a refusal and a failure are recorded, the one with its reason', async () => {
  const refuse = () => Promise.reject(new Refusal('a newer report exists'))
  await assert.rejects(audited(state, now, action, refuse), /newer/)
  const fail = () => Promise.reject(new Error('secret path /x'))
  await assert.rejects(audited(state, now, action, fail), /secret/)
  const [, , , refused, , failed] = await entries()
  assert.deepEqual([refused?.outcome, refused?.detail], ['refused', 'a newer report exists'])
  assert.equal(failed?.outcome, 'failed')
  assert.doesNotMatch(failed?.detail ?? '', /secret/)
})

test('where nothing can be recorded, nothing is done', async () => {
  const broken = {
    ...state,
    createIfAbsent: () => Promise.reject(new Error('disk full')),
  }
  let done = false
  await assert.rejects(
    audited(broken, now, action, async () => {
      done = true
    }),
    /disk full/,
  )
  assert.equal(done, false)
})

test('days bound what is read, and a key is where to go on', async () => {
  const all = await entries()
  assert.equal(all.length, 6)
  assert.equal((await entries({ to: '2026-11-23' })).length, 1)
  assert.equal((await entries({ from: '2026-11-24' })).length, 5)
  const keys: string[] = []
  for await (const { key } of readAudit(state)) keys.push(key)
  assert.equal((await entries({ after: keys[3] })).length, 2)
})

test('an export can be opened in a spreadsheet without running anything', async () => {
  const read = async (format: 'csv' | 'jsonl') => {
    let text = ''
    const only = async function* () {
      for await (const { entry } of readAudit(state)) yield entry
    }
    for await (const piece of exportAudit(only(), format)) text += piece
    return text
  }
  assert.match(await read('csv'), /,"'=1\+1, ""quoted""",/)
  const lines = (await read('jsonl')).trim().split('\n')
  assert.equal((JSON.parse(lines[0] ?? '') as AuditEntry).why, action.why)
})

test.after(() => rmSync(folder, { recursive: true, force: true }))

test.run()
