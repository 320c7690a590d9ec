import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { exitCodes } from './exit-code.ts'
import { runCommand } from './program.ts'

const NOW = Date.UTC(2026, 10, 21, 12)
const HOUR_MS = 3_600_000
const test = suite('lifecycle commands')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-lifecycle-'))
test.after(() => rmSync(folder, { recursive: true }))

async function command(...args: string[]) {
  let out = ''
  let err = ''
  const exitCode = await runCommand(args, {
    folder,
    env: {},
    now: () => new Date(NOW),
    out: { write: (text) => void (out += text), isTerminal: false },
    err: { write: (text) => void (err += text), isTerminal: false },
    signal: new AbortController().signal,
  })
  return { exitCode, out, err }
}

test('before anything is applied, status says so and is no success', async () => {
  const { exitCode, err } = await command('lifecycle', 'status')
  assert.equal(exitCode, exitCodes.usage)
  assert.match(err, /no schedule has been applied/)
})

test('status says what is wanted now and what changes next, without asking AWS', async () => {
  const windows = {
    resourceId: 'service/cluster/work',
    awake: [{ fromUtc: NOW + HOUR_MS, toUtc: NOW + 2 * HOUR_MS }],
    horizonUtc: NOW + 99 * HOUR_MS,
    minTasks: 1,
    maxTasks: 4,
    closure: 'hard',
  }
  mkdirSync(join(folder, 'wharfinger-state/lifecycle'), { recursive: true })
  writeFileSync(
    join(folder, 'wharfinger-state/lifecycle/windows.json'),
    JSON.stringify({ version: 1, services: [windows] }),
  )
  const { out } = await command('lifecycle', 'status')
  assert.match(out, /service\/cluster\/work should be ASLEEP: 0 to 0 tasks/)
  assert.match(out, /2026-11-21T13:00:00.000Z {2}awake\n {2}2026-11-21T14:00:00.000Z {2}asleep/)
  const [only] = JSON.parse((await command('lifecycle', 'status', '--json')).out) as {
    state: string
  }[]
  assert.equal(only?.state, 'asleep')
  assert.equal((await command('lifecycle', 'statsu')).exitCode, exitCodes.usage)
})

test.run()
