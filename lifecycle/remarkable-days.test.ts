import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { holidayCalendar, shippedSnapshot } from './bank-holidays.ts'
import { remarkableDays } from './remarkable-days.ts'
import { defaultSchedule, type Schedule } from './schedule.ts'

const holidays = holidayCalendar(shippedSnapshot, 'england-and-wales')
const year2026 = { fromUtc: Date.UTC(2026, 0, 1), toUtc: Date.UTC(2027, 0, 1) }
const test = suite('what differs from the ordinary week')

test('each bank holiday of a working day has a sentence with its name, also where clocks changed', () => {
  for (const nights of ['asleep', 'awake'] as const) {
    const days = remarkableDays({ ...defaultSchedule, nights }, holidays, year2026)
    assert.ok(days.includes('Mon 4 May 2026 stays asleep: Early May bank holiday'), days.join('\n'))
    assert.equal(days.length, 8)
  }
})

test('overrides are told in local time with reason and name, in order', () => {
  const override = { reason: 'migration', by: 'operator', state: 'awake' } as const
  const schedule: Schedule = {
    ...defaultSchedule,
    overrides: [
      { ...override, from: '2026-07-04T09:00', to: '2026-07-05T12:00' },
      { ...override, from: '2026-02-07T09:00Z', to: '2026-02-07T10:30Z' },
      { ...override, from: '2028-02-07T09:00Z', to: '2028-02-07T10:30Z' },
    ],
  }
  const days = remarkableDays(schedule, holidays, year2026).filter((day) => day.includes('migr'))
  assert.deepEqual(days, [
    'Sat 7 Feb 2026 09:00 to 10:30 is awake: migration (operator)',
    'Sat 4 Jul 2026 09:00 to Sun 5 Jul 2026 12:00 is awake: migration (operator)',
  ])
})

test.run()
