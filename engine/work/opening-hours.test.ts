import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { WINDOWS_KEY, type ServiceWindows } from '../../lifecycle/windows.ts'
import { createFolderStore } from '../adapters/folder-store.ts'
import { OpeningHours } from './opening-hours.ts'

const test = suite('opening hours')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-hours-'))
test.after(() => rmSync(folder, { recursive: true }))

const FRIDAY_20 = Date.parse('2026-11-27T20:00:00Z')
const MONDAY_7 = Date.parse('2026-11-30T07:00:00Z')
const END = Date.parse('2027-01-01T00:00:00Z')

const service = (resourceId: string): ServiceWindows => ({
  resourceId,
  awake: [
    { fromUtc: Date.parse('2026-11-23T07:00:00Z'), toUtc: FRIDAY_20 },
    { fromUtc: MONDAY_7, toUtc: END },
  ],
  horizonUtc: END,
  minTasks: 1,
  maxTasks: 4,
  closure: 'hard',
})

test('without anything applied the service is always open', async () => {
  const hours = new OpeningHours(createFolderStore(join(folder, 'none')), undefined)
  await hours.refresh()
  assert.deepEqual(hours.windowAt(new Date(FRIDAY_20)), { windowOpen: true, closesAt: undefined })
  assert.equal(hours.opensAt(new Date(FRIDAY_20)), undefined)
})

test('what was applied says when it closes, that it is closed, and when it opens', async () => {
  const store = createFolderStore(join(folder, 'some'))
  const other = { ...service('service/c/serve'), awake: [] }
  const services = [other, service('service/c/work')]
  await store.write(WINDOWS_KEY, JSON.stringify({ version: 1, services }))
  const hours = new OpeningHours(store, 'service/c/work')
  await hours.refresh()
  const before = hours.windowAt(new Date(FRIDAY_20 - 60_000))
  assert.deepEqual(before, { windowOpen: true, closesAt: new Date(FRIDAY_20) })
  assert.equal(hours.windowAt(new Date(FRIDAY_20)).windowOpen, false)
  assert.deepEqual(hours.opensAt(new Date(FRIDAY_20)), new Date(MONDAY_7))
  // Past what is known, awake: doubt costs money, never work.
  assert.deepEqual(hours.windowAt(new Date(END)), { windowOpen: true, closesAt: undefined })
  await store.write(WINDOWS_KEY, JSON.stringify({ version: 1, services: [other] }))
  await hours.refresh()
  assert.equal(hours.windowAt(new Date(MONDAY_7)).windowOpen, false, 'read again')
})

test.run()
