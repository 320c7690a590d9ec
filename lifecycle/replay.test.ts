import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { fireTimes } from './aws-cron.ts'
import { awakeIntervals } from './awake.ts'
import { divisions, holidayCalendar, shippedSnapshot, type Division } from './bank-holidays.ts'
import { compile, horizon } from './compile.ts'
import { replay } from './replay.ts'
import { defaultSchedule, type Schedule, type ScheduledActionSpec } from './schedule.ts'
import type { ServiceWindows } from './windows.ts'

const test = suite('scheduled actions, fired as AWS fires them')
const ZONES = [
  'Europe/London',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
]
const YEARS = Array.from({ length: 10 }, (_, index) => 2019 + index)
const BOTH = ['asleep', 'awake'] as const
const capacity = { minTasks: 1, maxTasks: 3 }
const nightless: Schedule = { ...defaultSchedule, nights: 'asleep' }

function proofOf(schedule: Schedule, division: Division, years: readonly number[]) {
  const holidays = holidayCalendar(shippedSnapshot, division)
  const range = horizon(schedule.timeZone, years)
  const windows: ServiceWindows = {
    resourceId: 'service/a/b',
    awake: awakeIntervals({ ...schedule, closedOn: division }, holidays, range),
    horizonUtc: range.toUtc,
    ...capacity,
    closure: schedule.closure,
  }
  return {
    range,
    windows,
    actions: compile({ ...schedule, closedOn: division }, holidays, years, capacity),
  }
}

test('no minute of 2019 to 2028 is wrong, in three divisions and five zones', () => {
  let minutes = 0
  for (const division of divisions)
    for (const timeZone of ZONES)
      for (const nights of timeZone === 'Europe/London' ? BOTH : (['asleep'] as const)) {
        const { actions, windows, range } = proofOf(
          { ...defaultSchedule, nights, timeZone },
          division,
          YEARS,
        )
        const { firstWrongUtc, ...result } = replay(actions, windows, range)
        minutes += result.minutes
        assert.deepEqual(
          [result.wrongMinutes, result.clashes, result.endsAwake],
          [0, 0, true],
          `${division} ${timeZone} ${nights}: ${new Date(firstWrongUtc ?? 0).toISOString()}`,
        )
      }
  assert.equal(minutes, 3 * (5 + 1) * 3653 * 1440)
})

test('soft closure and overrides are right in each minute too', () => {
  const { actions, windows, range } = proofOf(
    {
      ...nightless,
      closure: 'soft',
      overrides: [
        { from: '2026-08-07T18:00', to: '2026-08-09T12:00', state: 'awake', reason: 'a', by: 'b' },
        { from: '2026-10-14T09:13', to: '2026-10-14T11:00', state: 'asleep', reason: 'a', by: 'b' },
      ],
    },
    'scotland',
    [2026],
  )
  const { wrongMinutes, clashes, endsAwake } = replay(actions, windows, range)
  assert.deepEqual([wrongMinutes, clashes, endsAwake], [0, 0, true])
})

type Mutant = (action: ScheduledActionSpec) => ScheduledActionSpec | undefined
const rewrite =
  (from: RegExp, to: string): Mutant =>
  (action) => ({ ...action, schedule: action.schedule.replace(from, to) })

/** Each breaks what it names, in every action that has it. */
const mutants: Readonly<Record<string, Mutant>> = {
  'a holiday dropped': rewrite(/2,5-9(?=,12-16,19-23,26-30 1 )/, '1,2,5-9'),
  'a day off by one': rewrite(/1,2,7-10/, '1,2,8-11'),
  'an hour shifted': rewrite(/^cron\(0 7 /, 'cron(0 8 '),
  'a minute shifted': rewrite(/^cron\(0 20 /, 'cron(1 20 '),
  'a zone swapped': (action) => ({ ...action, timezone: 'Europe/Berlin' }),
  'the zone forgotten': (action) => ({ ...action, timezone: 'UTC' }),
  'weekdays counted from Monday': rewrite(/ MON-FRI /, ' 1-5 '),
  'a month left out': rewrite(/2,3,6,7,9-11/, '2,3,6,7,10-11'),
  'another year': rewrite(/ 2026\)/, ' 2027)'),
  'wake and sleep exchanged': (action) => ({
    ...action,
    minCapacity: 1 - action.minCapacity,
    maxCapacity: 3 - action.maxCapacity,
  }),
  'the floor forgotten': (action) => ({ ...action, minCapacity: 0 }),
  'every sleep lost': (action) => (action.effect === 'sleep' ? undefined : action),
}

test('the proof fails for each of twelve mistakes', () => {
  const { actions, windows, range } = proofOf(nightless, 'england-and-wales', [2026])
  assert.equal(replay(actions, windows, range).wrongMinutes, 0)
  for (const [name, mutate] of Object.entries(mutants)) {
    const mutated = actions.flatMap((action) => mutate(action) ?? [])
    assert.notDeepEqual(mutated, actions, `${name}: changes nothing`)
    assert.ok(replay(mutated, windows, range).wrongMinutes > 0, `${name}: not found`)
  }
  const twice = [...actions, { ...actions[0], minCapacity: 2, maxCapacity: 2 }]
  assert.ok(replay(twice as ScheduledActionSpec[], windows, range).clashes > 0)
})

test('the clock changes of gov.uk: 07:00 in London is 07:00 UTC until then, 06:00 after', () => {
  // gov.uk, When do the clocks change?: forward on the first date, back on the second.
  const changes = {
    2025: ['2025-03-30', '2025-10-26'],
    2026: ['2026-03-29', '2026-10-25'],
    2027: ['2027-03-28', '2027-10-31'],
    2028: ['2028-03-26', '2028-10-29'],
  }
  for (const [year, [forward = '', back = '']] of Object.entries(changes)) {
    const fires = fireTimes(
      { schedule: `cron(0 7 * * ? ${year})`, timezone: 'Europe/London' },
      Date.UTC(Number(year), 0, 1),
      Date.UTC(Number(year) + 1, 0, 1),
    )
    for (const at of fires) {
      const date = new Date(at).toISOString()
      const summer = date.slice(0, 10) >= forward && date.slice(0, 10) < back
      assert.equal(date.slice(11, 16), summer ? '06:00' : '07:00', date)
    }
  }
})

test('a time in a gap never fires, one in an overlap twice, and what AWS refuses is refused', () => {
  const in2026 = [Date.UTC(2026, 0), Date.UTC(2027, 0)] as const
  const london = (schedule: string) =>
    fireTimes({ schedule, timezone: 'Europe/London' }, ...in2026).map((at) =>
      new Date(at).toISOString().slice(0, 16),
    )
  assert.deepEqual(london('cron(30 1 29 3 ? 2026)'), [])
  assert.deepEqual(london('cron(30 1 25 10 ? 2026)'), ['2026-10-25T00:30', '2026-10-25T01:30'])
  assert.deepEqual(london('at(2026-07-01T12:00:00)'), ['2026-07-01T11:00'])
  assert.deepEqual(london('cron(0/30 9 ? JUL WED#1 2026)'.replace('#1', '')).length, 10)
  for (const wrong of [
    'cron(0 7 * * * 2026)',
    'cron(0 7 ? * ? 2026)',
    'cron(0 25 * * ? 2026)',
    'cron(0 7 * * ?)',
    'rate(5 minutes)',
    'cron(0 7 ? * FRI-MON 2026)',
  ])
    assert.throws(() => london(wrong), RangeError, wrong)
})

test.run()
