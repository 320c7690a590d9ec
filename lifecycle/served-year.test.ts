import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { serveYear } from '../fixtures/served-year.ts'
import { holidayCalendar, shippedSnapshot } from './bank-holidays.ts'
import { defaultSchedule } from './schedule.ts'

const test = suite('weeks on a server of ECS and Auto Scaling')
const DAY_MS = 86_400_000
const start = Date.UTC(2026, 11, 14)
const options = {
  schedule: { ...defaultSchedule, nights: 'asleep' },
  holidays: holidayCalendar(shippedSnapshot, 'england-and-wales'),
  capacity: { minTasks: 1, maxTasks: 4 },
  range: { fromUtc: start, toUtc: start + 28 * DAY_MS },
  years: [2026, 2027],
  seed: 1,
} as const

test('Christmas and New Year go by with no minute wrong', async () => {
  const served = await serveYear({ ...options, missOneIn: 0, throttleOneIn: 0 })
  assert.deepEqual([served.minutes, served.wrongMinutes, served.missedEdges], [28 * 1440, 0, 0])
})

test('edges that are missed and calls that are refused cost a tick at most', async () => {
  const served = await serveYear({ ...options, missOneIn: 2, throttleOneIn: 4 })
  assert.ok(served.missedEdges > 10 && served.throttled > 20, JSON.stringify(served))
  assert.ok(served.longestWrongMinutes <= 5, JSON.stringify(served))
  assert.ok(served.wrongMinutes >= served.missedEdges / 2, 'the check can fail')
})

test.run()
