import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import { awakeIntervals, decide, stretches, transitions, type Holidays } from './awake.ts'
import { divisions, holidayCalendar, shippedSnapshot } from './bank-holidays.ts'
import { complement, intersect, intervalAt, subtract, totalMs } from './intervals.ts'
import { instantOf, startOfDay, wallTime, weekdayIndex } from './local-time.ts'
import { defaultSchedule, weekdays, type Override, type Schedule } from './schedule.ts'

const test = suite('when the service should be awake')
const england = holidayCalendar(shippedSnapshot, 'england-and-wales')
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const london = (date: string, time: string) => instantOf('Europe/London', date, time)
const year = (number: number) => ({
  fromUtc: startOfDay('Europe/London', `${number}-01-01`),
  toUtc: startOfDay('Europe/London', `${number + 1}-01-01`),
})

test('the facts: 3289 hours awake a year without nights, 5489 with them, 107 asleep at Easter', () => {
  const nightless: Schedule = { ...defaultSchedule, nights: 'asleep' }
  assert.equal(totalMs(awakeIntervals(nightless, england, year(2027))) / HOUR, 3289)
  assert.equal(totalMs(awakeIntervals(defaultSchedule, england, year(2026))) / HOUR, 5489)
  const asleep = complement(awakeIntervals(defaultSchedule, england, year(2026)), year(2026))
  const longest = Math.max(...asleep.map(({ fromUtc, toUtc }) => toUtc - fromUtc))
  assert.equal(longest / HOUR, 107)
  assert.deepEqual(intervalAt(asleep, london('2026-04-05', '12:00')), {
    fromUtc: london('2026-04-02', '20:00'),
    toUtc: london('2026-04-07', '07:00'),
  })
})

test('each instant says its rule: override before holiday before weekly windows before awake', () => {
  const schedule: Schedule = {
    ...defaultSchedule,
    overrides: [
      {
        from: '2026-05-04T10:00',
        to: '2026-05-04T12:00',
        state: 'awake',
        reason: 'a late delivery',
        by: 'ops',
      },
    ],
  }
  const why = (date: string, time: string) => {
    const { state, rule, reason } = decide(schedule, england, london(date, time))
    return `${state}, ${rule}: ${reason}`
  }
  assert.deepEqual(
    [
      why('2026-05-04', '10:00'),
      why('2026-05-04', '12:00'),
      why('2026-05-05', '06:59'),
      why('2026-05-05', '07:00'),
      why('2026-05-06', '03:00'),
      why('2026-05-09', '12:00'),
      why('2026-04-02', '21:00'),
    ],
    [
      'awake, override: a late delivery',
      'asleep, holiday: Early May bank holiday',
      'asleep, holiday: the night after Early May bank holiday',
      'awake, weekly: weekly window 07:00 to 20:00',
      'awake, weekly: the night between two open days',
      'asleep, weekly: outside the weekly windows',
      'asleep, holiday: the night before Good Friday',
    ],
  )
  const { source } = decide(schedule, england, london('2026-05-04', '13:00'))
  assert.equal(source, 'gov.uk, snapshot of 2026-02-25')
})

test('doubt keeps the service awake: days after the calendar ends, no calendar, no windows', () => {
  const after = decide(defaultSchedule, england, Date.UTC(2029, 0, 6))
  assert.deepEqual([after.state, after.rule], ['awake', 'default'])
  assert.equal(decide(defaultSchedule, undefined, Date.UTC(2026, 4, 9)).state, 'awake')
  const empty: Schedule = { ...defaultSchedule, windows: [] }
  assert.equal(decide(empty, england, london('2026-05-09', '03:00')).rule, 'default')
  assert.equal(decide(empty, england, london('2026-05-04', '03:00')).rule, 'holiday')
})

test('a window across midnight stays open into the next day, and ends where that day is a holiday', () => {
  const schedule: Schedule = {
    ...defaultSchedule,
    nights: 'asleep',
    windows: [{ days: ['THU', 'FRI'], opens: '22:00', closes: '06:00' }],
  }
  const range = { fromUtc: london('2026-03-26', '00:00'), toUtc: london('2026-04-05', '00:00') }
  assert.deepEqual(
    awakeIntervals(schedule, england, range).map(({ fromUtc, toUtc }) => [
      wallTime('Europe/London', fromUtc),
      wallTime('Europe/London', toUtc).time,
    ]),
    [
      [{ date: '2026-03-26', time: '22:00' }, '06:00'],
      [{ date: '2026-03-27', time: '22:00' }, '06:00'],
      [{ date: '2026-04-02', time: '22:00' }, '00:00'], // Good Friday
    ],
  )
})

test('an override ends at its expiry where that comes before its end', () => {
  const override: Override = {
    from: '2026-05-09T10:00',
    to: '2026-05-09T18:00',
    expires: '2026-05-09T11:00:00Z',
    state: 'awake',
    reason: 'a test',
    by: 'ops',
  }
  const range = { fromUtc: london('2026-05-09', '00:00'), toUtc: london('2026-05-10', '00:00') }
  const awake = awakeIntervals({ ...defaultSchedule, overrides: [override] }, england, range)
  assert.deepEqual(awake, [
    { fromUtc: london('2026-05-09', '10:00'), toUtc: london('2026-05-09', '12:00') },
  ])
})

const time = fc
  .tuple(fc.integer({ min: 4, max: 23 }), fc.constantFrom('00', '15', '30', '45'))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`)
const zones = ['Europe/London', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu']
const plainSchedule: fc.Arbitrary<Schedule> = fc.record({
  timeZone: fc.constantFrom(...zones),
  windows: fc.array(
    fc.record({
      days: fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 1 }),
      opens: time,
      closes: fc.oneof(time, fc.constant('24:00')),
    }),
    { maxLength: 3 },
  ),
  nights: fc.constantFrom('awake' as const, 'asleep' as const),
  closedOn: fc.constantFrom(...divisions, 'no holidays' as const),
  closure: fc.constant('hard' as const),
  overrides: fc.constant([]),
})
const minuteOf2027 = fc
  .integer({ min: Date.UTC(2027, 0) / MINUTE, max: Date.UTC(2028, 0) / MINUTE })
  .map((minute) => minute * MINUTE)
const calendarOf = ({ closedOn }: Schedule): Holidays =>
  closedOn === 'no holidays' ? undefined : holidayCalendar(shippedSnapshot, closedOn)
const fortnight = (at: number) => ({ fromUtc: at - 7 * 24 * HOUR, toUtc: at + 7 * 24 * HOUR })

/** The state of one minute by reading clocks alone: no intervals, no instants of wall times. */
function oracle(schedule: Schedule, holidays: Holidays, at: number): 'awake' | 'asleep' {
  const { date, time: now } = wallTime(schedule.timeZone, at)
  const shift = (days: number) =>
    new Date(Date.parse(date) + days * 24 * HOUR).toISOString().slice(0, 10)
  const closed = (day: string) => holidays?.holidays.has(day) === true
  if (closed(date)) return 'asleep'
  if (schedule.windows.length === 0) return 'awake'
  const on = (day: string) =>
    closed(day)
      ? []
      : schedule.windows.filter(({ days }) =>
          days.some((one) => one === weekdays[weekdayIndex(day)]),
        )
  const today = on(date)
  const yesterday = on(shift(-1))
  if (today.some(({ opens, closes }) => opens <= now && (now < closes || closes <= opens)))
    return 'awake'
  if (yesterday.some(({ opens, closes }) => closes <= opens && now < closes)) return 'awake'
  if (schedule.nights === 'asleep') return 'asleep'
  const firstOpens = (windows: typeof today) => windows.map(({ opens }) => opens).sort()[0]
  const lastCloses = (windows: typeof today) =>
    windows
      .map(({ opens, closes }) => `${closes <= opens ? 1 : 0}${closes}`)
      .sort()
      .at(-1)
  const tomorrowOpen = on(shift(1)).length > 0
  const closesToday = lastCloses(today)
  if (closesToday !== undefined && tomorrowOpen && `0${now}` >= closesToday) return 'awake'
  const opensToday = firstOpens(today)
  return opensToday !== undefined && yesterday.length > 0 && now < opensToday ? 'awake' : 'asleep'
}

test('any minute of any schedule is what a reading of the clock says it is', () => {
  fc.assert(
    fc.property(plainSchedule, minuteOf2027, (schedule, at) => {
      const holidays = calendarOf(schedule)
      const expected = oracle(schedule, holidays, at)
      assert.equal(decide(schedule, holidays, at).state, expected)
      const awake = awakeIntervals(schedule, holidays, fortnight(at))
      assert.equal(intervalAt(awake, at) !== undefined, expected === 'awake')
    }),
    { seed: 1, numRuns: 400 },
  )
})

test('awake and asleep add up to the range, also on days of 23 and of 25 hours', () => {
  for (const [date, hours] of [
    ['2027-03-28', 23],
    ['2027-10-31', 25],
    ['2028-03-26', 23],
    ['2028-10-29', 25],
  ] as const) {
    const range = { fromUtc: london(date, '00:00'), toUtc: london(date, '24:00') }
    const all: Schedule = {
      ...defaultSchedule,
      windows: [{ days: ['SUN'], opens: '00:00', closes: '24:00' }],
    }
    assert.equal(totalMs(awakeIntervals(all, england, range)) / HOUR, hours)
    assert.equal(totalMs(stretches(defaultSchedule, england, range)) / HOUR, hours)
    assert.deepEqual(awakeIntervals(defaultSchedule, england, range), [])
  }
  fc.assert(
    fc.property(plainSchedule, minuteOf2027, (schedule, at) => {
      const range = fortnight(at)
      const all = stretches(schedule, calendarOf(schedule), range)
      assert.equal(totalMs(all), range.toUtc - range.fromUtc)
      assert.ok(all.every(({ fromUtc }, index) => fromUtc === (all[index - 1]?.toUtc ?? fromUtc)))
    }),
    { seed: 1, numRuns: 100 },
  )
})

test('a holiday only removes time', () => {
  fc.assert(
    fc.property(plainSchedule, minuteOf2027, (schedule, at) => {
      const open: Schedule = { ...schedule, closedOn: 'no holidays' }
      const range = fortnight(at)
      const without = awakeIntervals(open, undefined, range)
      const withHolidays = awakeIntervals(schedule, calendarOf(schedule), range)
      assert.deepEqual(subtract(withHolidays, without), [])
    }),
    { seed: 1, numRuns: 150 },
  )
})

test('an override changes nothing outside its bounds, and decides everything inside them', () => {
  const hours = fc.integer({ min: 1, max: 100 })
  fc.assert(
    fc.property(
      plainSchedule,
      minuteOf2027,
      hours,
      fc.option(hours, { nil: undefined }),
      fc.constantFrom('awake' as const, 'asleep' as const),
      (schedule, at, length, expiry, state) => {
        const iso = (instant: number) => new Date(instant).toISOString()
        const override: Override = {
          from: iso(at),
          to: iso(at + length * HOUR),
          state,
          reason: 'a test',
          by: 'ops',
          ...(expiry === undefined ? {} : { expires: iso(at + expiry * HOUR) }),
        }
        const holidays = calendarOf(schedule)
        const range = fortnight(at)
        const before = awakeIntervals(schedule, holidays, range)
        const after = awakeIntervals({ ...schedule, overrides: [override] }, holidays, range)
        const held = [{ fromUtc: at, toUtc: at + Math.min(length, expiry ?? length) * HOUR }]
        assert.deepEqual(subtract(after, held), subtract(before, held))
        assert.deepEqual(intersect(after, held), state === 'awake' ? held : [])
      },
    ),
    { seed: 1, numRuns: 150 },
  )
})

test('transitions and intervals say the same', () => {
  fc.assert(
    fc.property(plainSchedule, minuteOf2027, (schedule, at) => {
      const holidays = calendarOf(schedule)
      const range = fortnight(at)
      const edges = awakeIntervals(schedule, holidays, range)
        .flatMap(({ fromUtc, toUtc }) => [fromUtc, toUtc])
        .filter((edge) => edge !== range.fromUtc && edge !== range.toUtc)
      const changes = transitions(schedule, holidays, range)
      assert.deepEqual(
        changes.map(({ atUtc }) => atUtc).filter((edge) => edge !== range.fromUtc),
        edges,
      )
      for (const { atUtc, state } of changes) {
        assert.equal(decide(schedule, holidays, atUtc).state, state)
        assert.notEqual(decide(schedule, holidays, atUtc - 1).state, state)
      }
    }),
    { seed: 1, numRuns: 60 },
  )
})

test.run()
