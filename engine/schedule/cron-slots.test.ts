import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import { Temporal } from 'temporal-polyfill'
import { CronError, readCron } from './cron-slots.ts'

const test = suite('cron slots')

const ZONES = [
  'Europe/London',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
]
const FROM = Date.parse('2019-01-01T00:00:00Z')
const TO = Date.parse('2029-01-01T00:00:00Z')
const DAY = 86_400_000

function slots(cron: string, zone: string, from: string, to: string): string[] {
  return [...readCron(cron, zone).between(Date.parse(from), Date.parse(to))].map((utc) =>
    new Date(utc).toISOString().slice(0, 16),
  )
}

function localDays(zone: string, from: number, to: number): string[] {
  const days: string[] = []
  let day = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(zone).toPlainDate()
  const last = Temporal.Instant.fromEpochMilliseconds(to).toZonedDateTimeISO(zone).toPlainDate()
  for (; Temporal.PlainDate.compare(day, last) < 0; day = day.add({ days: 1 }))
    days.push(day.toString())
  return days
}

test('a daily time rings once on every civil day of ten years, in five zones', () => {
  for (const zone of ZONES) {
    for (const cron of ['30 1 * * *', '0 2 * * *', '45 1 * * *', '0 12 * * *']) {
      const ringed = [...readCron(cron, zone).between(FROM, TO)].map((utc) =>
        String(Temporal.Instant.fromEpochMilliseconds(utc).toZonedDateTimeISO(zone).toPlainDate()),
      )
      assert.deepEqual(
        ringed.filter((day) => day > '2019-01-01' && day < '2028-12-31'),
        localDays(zone, FROM, TO).filter((day) => day > '2019-01-01' && day < '2028-12-31'),
        `${cron} ${zone}`,
      )
    }
  }
})

test('every quarter of an hour keeps ringing while the clocks change', () => {
  for (const zone of ZONES) {
    const all = [...readCron('*/15 * * * *', zone).between(FROM, TO)]
    assert.equal(all.length, (TO - FROM) / (15 * 60_000), zone)
    assert.ok(all.every((utc, i) => utc === FROM + (i + 1) * 15 * 60_000))
  }
})

test('what falls into the gap rings when the gap ends, and a repeated hour rings once', () => {
  const gap = ['2027-03-27T12:00Z', '2027-03-28T12:00Z'] as const
  assert.deepEqual(slots('30 1 * * *', 'Europe/London', ...gap), ['2027-03-28T01:00'])
  assert.deepEqual(slots('0 2 * * *', 'Europe/London', ...gap), ['2027-03-28T01:00'])
  const overlap = ['2026-10-24T12:00Z', '2026-10-25T12:00Z'] as const
  assert.deepEqual(slots('30 1 * * *', 'Europe/London', ...overlap), ['2026-10-25T00:30'])
  assert.deepEqual(
    slots('30 1 * * *', 'America/New_York', '2026-10-31T12:00Z', '2026-11-01T12:00Z'),
    ['2026-11-01T05:30'],
  )
  // Half an hour only on Lord Howe Island.
  assert.deepEqual(
    slots('45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T00:00Z', '2026-04-05T00:00Z'),
    ['2026-04-04T14:45'],
  )
})

test('any division of a stretch of time gives the same slots', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(
        '30 1 * * *',
        '*/7 * * * *',
        '5 7-19 * * MON-FRI',
        '0 0 1 * *',
        '59 1,2 * * 0',
      ),
      fc.constantFrom(...ZONES),
      fc.integer({ min: 0, max: 3600 }),
      fc.array(fc.integer({ min: 1, max: 30 * 24 * 60 }), { maxLength: 4 }),
      (cron, zone, day, cuts) => {
        const reader = readCron(cron, zone)
        const from = FROM + day * DAY
        const to = from + 31 * DAY
        const at = [from, ...cuts.map((m) => from + m * 60_000).sort((a, b) => a - b), to]
        const pieces = at.slice(1).flatMap((end, i) => [...reader.between(at[i] ?? from, end)])
        assert.deepEqual(pieces, [...reader.between(from, to)])
      },
    ),
    { seed: 1, numRuns: 100 },
  )
})

test('working hours ring on working days alone', () => {
  assert.deepEqual(
    slots('0 7,19 * * MON-FRI', 'Europe/London', '2026-11-27T00:00Z', '2026-11-30T12:00Z'),
    ['2026-11-27T07:00', '2026-11-27T19:00', '2026-11-30T07:00'],
  )
})

test('what is no cron expression is refused in words', () => {
  assert.throws(() => readCron('61 * * * *', 'Europe/London'), CronError)
  assert.throws(() => readCron('every day', 'Europe/London'), CronError)
  assert.throws(() => readCron('*/10 * * * * *', 'Europe/London'), /whole minutes/)
})

test.run()
