import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { createFolderStore } from '../adapters/folder-store.ts'
import { TaskClock, TaskTimes } from './task-times.ts'

const test = suite('when tasks ran')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-times-'))
test.after(() => rmSync(folder, { recursive: true }))
const MINUTE_MS = 60_000

test('a task that ended, one that runs and one that was killed are told apart', async () => {
  const state = createFolderStore(folder)
  let nowUtc = Date.UTC(2026, 10, 23, 7)
  const startUtc = nowUtc
  const begin = async (id: string) => {
    const clock = new TaskClock(state, id, () => new Date(nowUtc))
    await clock.begin((error) => assert.fail(String(error)))
    return clock
  }
  const first = await begin('a')
  const killed = await begin('b')
  assert.ok(killed)
  nowUtc += 30 * MINUTE_MS
  await first.end()
  const running = await begin('c')
  nowUtc += 5 * MINUTE_MS
  const times = new TaskTimes(state)
  assert.deepEqual(await times.since(startUtc, nowUtc), [
    { startedUtc: startUtc, stoppedUtc: startUtc + 30 * MINUTE_MS },
    { startedUtc: startUtc, stoppedUtc: startUtc }, // never seen again
    { startedUtc: startUtc + 30 * MINUTE_MS, stoppedUtc: undefined },
  ])
  await running.end()
  assert.equal((await times.since(startUtc, nowUtc))[2]?.stoppedUtc, nowUtc)
})

test.run()
