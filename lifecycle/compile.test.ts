import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { divisions, holidayCalendar, shippedSnapshot } from './bank-holidays.ts'
import { compile } from './compile.ts'
import { defaultSchedule, type Schedule } from './schedule.ts'

const test = suite('scheduled actions from a schedule')
const tasks = { minTasks: 1, maxTasks: 3 }
const england = holidayCalendar(shippedSnapshot, 'england-and-wales')
const nightless: Schedule = { ...defaultSchedule, nights: 'asleep' }

test('a year of nights and weekends takes 12 actions at most in England and Wales, 16 in any division', () => {
  for (const closedOn of divisions) {
    const holidays = holidayCalendar(shippedSnapshot, closedOn)
    for (const nights of ['asleep', 'awake'] as const) {
      for (let year = 2019; year <= 2028; year++) {
        const actions = compile({ ...defaultSchedule, closedOn, nights }, holidays, [year], tasks)
        const most = closedOn === 'england-and-wales' ? 12 : 16
        assert.ok(actions.length <= most, `${closedOn} ${nights} ${year}: ${actions.length}`)
        assert.equal(new Set(actions.map(({ name }) => name)).size, actions.length)
        for (const { name, schedule } of actions) {
          assert.match(name, /^lc\.(?:wake|sleep|soft)\.[\d.+-]+\.[\da-f]{8}$/)
          assert.ok(schedule.length <= 100, schedule)
        }
      }
    }
  }
})

test('months with a bank holiday list their days, the others their weekdays, and the year ends awake', () => {
  assert.deepEqual(
    compile(nightless, england, [2026], tasks).map(({ schedule }) => schedule),
    [
      'cron(0 20 ? * MON-FRI 2026)',
      'cron(0 7 2,5-9,12-16,19-23,26-30 1 ? 2026)',
      'cron(0 7 ? 2,3,6,7,9-11 MON-FRI 2026)',
      'cron(0 7 1,2,7-10,13-17,20-24,27-30 4 ? 2026)',
      'cron(0 7 1,5-8,11-15,18-22,26-29 5 ? 2026)',
      'cron(0 7 3-7,10-14,17-21,24-28 8 ? 2026)',
      'cron(0 7 1-4,7-11,14-18,21-24,29-31 12 ? 2026)',
      'at(2027-01-01T00:00:00)',
    ],
  )
})

test('an override becomes at(), what it suppresses is left out, and the past can be left out', () => {
  const schedule: Schedule = {
    ...nightless,
    closure: 'soft',
    overrides: [
      {
        from: '2026-08-07T18:00',
        to: '2026-08-09T12:00',
        state: 'awake',
        reason: 'a test',
        by: 'ops',
      },
    ],
  }
  const actions = compile(schedule, england, [2026], tasks)
  const august = actions.filter(({ schedule: text }) => text.includes(' 8 ? '))
  assert.deepEqual(
    august.map(({ effect, schedule: text }) => [effect, text]),
    [
      ['sleep', 'cron(0 20 3-6,10-14,17-21,24-28 8 ? 2026)'],
      ['soft', 'cron(5 20 3-6,10-14,17-21,24-28 8 ? 2026)'],
      ['wake', 'cron(0 7 3-7,10-14,17-21,24-28 8 ? 2026)'],
    ],
  )
  const singles = (notBeforeUtc?: number) =>
    compile(schedule, england, [2026], tasks, notBeforeUtc)
      .map(({ schedule: text }) => text)
      .filter((text) => text.startsWith('at('))
  assert.deepEqual(singles(), [
    'at(2026-08-09T12:00:00)',
    'at(2026-08-09T12:05:00)',
    'at(2027-01-01T00:00:00)',
  ])
  assert.deepEqual(singles(Date.UTC(2026, 8)), ['at(2027-01-01T00:00:00)'])
  assert.deepEqual(
    actions
      .map(({ effect, minCapacity, maxCapacity }) => [effect, minCapacity, maxCapacity].join())
      .filter((bounds, index, all) => all.indexOf(bounds) === index),
    ['sleep,0,0', 'soft,0,3', 'wake,1,3'],
  )
})

test.run()
