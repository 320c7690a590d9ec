import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { suite } from 'uvu'
import {
  divisions,
  holidayCalendar,
  readPublishedCalendar,
  shippedSnapshot,
} from './bank-holidays.ts'
import { diffCalendars, refreshSnapshot } from './diff-calendars.ts'
import {
  canonical,
  complement,
  intersect,
  subtract,
  totalMs,
  union,
  type Intervals,
} from './intervals.ts'
import { UnsureTimeError, instantOf, isTimeZone, wallTime, weekdayIndex } from './local-time.ts'

const test = suite('calendar data and intervals')
const { calendar } = shippedSnapshot

/** The facts file writes one line a year: `- 2026: 01-01 new year, 04-03 good friday, ...`. */
function factsFile(): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  const file = join(folder, '..', 'shared', 'facts', 'uk-bank-holidays.md')
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

test('the shipped calendar has exactly the published days, 2019 to 2028, in every division', () => {
  const facts = factsFile()
  if (facts === undefined) {
    console.log('SKIPPED the published days: ../shared is not here')
    return
  }
  for (const division of divisions) {
    const section: string = facts.split(`## ${division}\n`)[1]?.split('\n## ')[0] ?? ''
    const dates: string[] = [...section.matchAll(/^- (\d{4}): (.*)$/gm)].flatMap(
      ([, year = '', days = '']) =>
        [...days.matchAll(/(\d{2}-\d{2})/g)].map(([, day = '']) => `${year}-${day}`),
    )
    assert.ok(dates.length >= 80)
    assert.deepEqual(
      calendar[division].events.map(({ date }) => date),
      dates,
    )
  }
})

test('a bank holiday never falls on a weekend day that has a substitute', () => {
  for (const division of divisions) {
    for (const { date } of calendar[division].events)
      assert.ok(weekdayIndex(date) < 5, `${division} ${date}`)
    assert.equal(
      holidayCalendar(shippedSnapshot, division).holidays.size,
      calendar[division].events.length,
    )
  }
})

test('a refreshed calendar shows each difference and never loses a year that is no longer published', () => {
  const published = structuredClone(calendar) as unknown as Record<
    string,
    { events: { date: string; title: string }[] }
  >
  const events = published['scotland']?.events ?? []
  published['scotland'] = {
    ...published['scotland'],
    events: [
      ...events.filter(({ date }) => !date.startsWith('2019') && date !== '2026-06-15'),
      { ...events[0], date: '2028-06-02', title: 'One-off' },
    ],
  }
  const read = readPublishedCalendar(published)
  assert.ok(read.kind === 'read')
  const { snapshot, changes, keptYears, removals } = refreshSnapshot(
    shippedSnapshot,
    read.calendar,
    {
      source: 'a test',
      asOf: '2026-12-01',
    },
  )
  assert.ok(changes.some(({ kind, date }) => kind === 'added' && date === '2028-06-02'))
  assert.deepEqual(
    removals.map(({ date }) => date),
    ['2026-06-15'],
  )
  assert.ok(keptYears.some((year) => year.includes('2019')))
  assert.ok(snapshot.calendar.scotland.events.some(({ date }) => date === '2019-01-02'))
  assert.deepEqual(diffCalendars(calendar, calendar), [])
  for (const bad of [null, [], {}, { scotland: { events: [{ date: 'soon' }] } }])
    assert.equal(readPublishedCalendar(bad).kind, 'refused')
})

test("gov.uk's clock changes come out: the hour is missing in spring and doubled in autumn, and neither is guessed", () => {
  for (const [spring, autumn] of [
    ['2025-03-30', '2025-10-26'],
    ['2026-03-29', '2026-10-25'],
    ['2027-03-28', '2027-10-31'],
    ['2028-03-26', '2028-10-29'],
  ] as const) {
    assert.throws(
      () => instantOf('Europe/London', spring, '01:30'),
      (error: unknown) => error instanceof UnsureTimeError && error.reason === 'gap',
    )
    assert.throws(
      () => instantOf('Europe/London', autumn, '01:30'),
      (error: unknown) => error instanceof UnsureTimeError && error.reason === 'overlap',
    )
    const hours = (date: string) =>
      (instantOf('Europe/London', date, '24:00') - instantOf('Europe/London', date, '00:00')) /
      3_600_000
    assert.deepEqual([hours(spring), hours(autumn)], [23, 25])
  }
})

test('a wall time goes to its instant and back in any zone', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('Europe/London', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'),
      fc.integer({ min: Date.UTC(2019, 0), max: Date.UTC(2029, 0) }),
      (zone, at) => {
        const { date, time } = wallTime(zone, at)
        let instant: number
        try {
          instant = instantOf(zone, date, time)
        } catch (error) {
          assert.ok(error instanceof UnsureTimeError && error.reason === 'overlap')
          return
        }
        assert.equal(instant, Math.floor(at / 60_000) * 60_000)
      },
    ),
    { seed: 1, numRuns: 500 },
  )
  assert.ok(isTimeZone('Europe/London'))
  for (const bad of ['Europe/Londn', '+01:00', 'UTC+1', '']) assert.ok(!isTimeZone(bad), bad)
})

const range = { fromUtc: 0, toUtc: 1000 }
const intervals: fc.Arbitrary<Intervals> = fc
  .array(fc.tuple(fc.nat(999), fc.nat(999)), { maxLength: 8 })
  .map((pairs) =>
    canonical(pairs.map(([a, b]) => ({ fromUtc: Math.min(a, b), toUtc: Math.max(a, b) + 1 }))),
  )

test('the algebra of intervals: what is in a set is decided minute by minute, whatever is merged', () => {
  const has = (set: Intervals, at: number) =>
    set.some(({ fromUtc, toUtc }) => fromUtc <= at && at < toUtc)
  fc.assert(
    fc.property(intervals, intervals, fc.nat(999), (a, b, at) => {
      assert.equal(has(union(a, b), at), has(a, at) || has(b, at))
      assert.equal(has(intersect(a, b), at), has(a, at) && has(b, at))
      assert.equal(has(subtract(a, b), at), has(a, at) && !has(b, at))
      assert.equal(has(complement(a, range), at), !has(a, at))
      assert.deepEqual(union(a, b), union(b, a))
      assert.deepEqual(complement(complement(a, range), range), a)
      assert.equal(totalMs(a) + totalMs(complement(a, range)), 1000)
      assert.deepEqual(canonical([...a, ...b]), union(a, b))
    }),
    { seed: 1, numRuns: 500 },
  )
})

test.run()
