import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { randomWeekend } from '../fixtures/random-weekend.ts'
import { readTrace, seededArrivals, type Upload } from './arrivals.ts'
import { awakeIntervals } from './awake.ts'
import { holidayCalendar, shippedSnapshot } from './bank-holidays.ts'
import { horizon } from './compile.ts'
import { intervalAt } from './intervals.ts'
import { shippedPriceBook } from './price-book.ts'
import { defaultSchedule, type Schedule } from './schedule.ts'
import { simulate, simulateYear, type Simulation } from './simulate.ts'

const test = suite('a simulated year')
const MINUTE_MS = 60_000
const holidays = holidayCalendar(shippedSnapshot, 'england-and-wales')
const nightless: Schedule = { ...defaultSchedule, nights: 'asleep' }
const range = horizon('Europe/London', [2027])
const uploads = seededArrivals(1, range, 'Europe/London')
const base: Simulation = {
  schedule: nightless,
  holidays,
  capacity: { minTasks: 1, maxTasks: 4 },
  range,
  uploads,
  retentionHours: 336,
}
const FRIDAY = Date.UTC(2027, 0, 8)
const friday = (hour: number, minute = 0) => FRIDAY + (hour * 60 + minute) * MINUTE_MS
const weekend = { fromUtc: FRIDAY, toUtc: FRIDAY + 5 * 1440 * MINUTE_MS }
const one = (atUtc: number, minutes: number): Upload => ({ atUtc, minutes, sizeBytes: 1 })
const short = (more: Partial<Simulation>): Simulation => ({ ...base, range: weekend, ...more })

test('the year under each policy: nothing lost, nothing twice, and less time is less money', () => {
  const options = { ...base, year: 2027, book: shippedPriceBook, region: 'eu-west-2' }
  const shape = { tasks: 1, vcpu: 2, memoryGb: 8, architecture: 'arm', scratchGb: 20 } as const
  const results = simulateYear({ ...options, shape })
  assert.equal(results.length, 4)
  for (const { lost, duplicated, waiting, uploads: count } of results)
    assert.deepEqual([lost, duplicated, waiting, count], [0, 0, 0, uploads.length])
  const [always, closedDays, nights] = results
  assert.ok((always?.usd ?? 0) > (closedDays?.usd ?? 0))
  assert.ok((closedDays?.usd ?? 0) > (nights?.usd ?? 0))
  assert.equal(always?.awakeHours, 365 * 24)
  assert.deepEqual(simulateYear({ ...options, shape }), results, 'the same seed, the same result')
})

test('under hard closure all is started within the wake budget after the next opening', () => {
  const awake = awakeIntervals(nightless, holidays, range)
  const small = uploads.map((upload) => ({ ...upload, minutes: Math.min(25, upload.minutes) }))
  const { startsUtc } = simulate({
    ...base,
    uploads: small,
    capacity: { minTasks: 1, maxTasks: 50 },
  })
  for (const [index, { atUtc }] of small.entries()) {
    const open = intervalAt(awake, atUtc)
    const next = awake.find(({ fromUtc }) => fromUtc > atUtc)?.fromUtc ?? range.toUtc
    const fits = open !== undefined && open.toUtc - atUtc > 30 * MINUTE_MS
    const due = (fits ? atUtc : next) + 30 * MINUTE_MS
    const startUtc = startsUtc[index]
    assert.ok(startUtc !== undefined && startUtc <= due, new Date(atUtc).toISOString())
    assert.ok(intervalAt(awake, startUtc) !== undefined || startUtc >= range.toUtc)
  }
})

test('soft closure opens on a backlog; hard closure waits for Monday', () => {
  const saturday = [one(friday(24 + 12), 20)]
  const soft = simulate(short({ schedule: { ...nightless, closure: 'soft' }, uploads: saturday }))
  const hard = simulate(short({ uploads: saturday }))
  assert.ok((soft.waitMinutes?.max ?? Infinity) <= 20, JSON.stringify(soft.waitMinutes))
  assert.equal(hard.waitMinutes?.max, 43 * 60 + 3, 'Monday 07:00 and the start')
  assert.ok(soft.awakeHours > hard.awakeHours)
})

test('going from event to event gives what asking each minute gives', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const options = randomWeekend(seed)
    const slow = simulate({ ...options, everyMinute: true })
    assert.deepEqual(simulate(options), slow, `seed ${seed}: ${JSON.stringify(options.faults)}`)
  }
})

test('200 random weekends with faults: nothing lost, nothing there twice', () => {
  for (let seed = 1000; seed < 1200; seed++) {
    const options = randomWeekend(seed)
    const { lost, duplicated, waiting } = simulate(options)
    assert.deepEqual([lost, duplicated, waiting], [0, 0, 0], `seed ${seed}`)
  }
})

test('the checks can fail: without listing work is lost, without create-once it is there twice', () => {
  let lost = 0
  let duplicated = 0
  for (let seed = 1; seed <= 200; seed++) {
    const options = randomWeekend(seed)
    lost += simulate({ ...options, listsDropZones: false }).lost
    duplicated += simulate({ ...options, createsOnce: false }).duplicated
  }
  assert.ok(lost > 0 && duplicated > 0, `${lost} lost, ${duplicated} twice`)
})

test('a skipped edge is healed within a tick, and a deployment stuck on Friday raises an alarm', () => {
  const plain = simulate(short({ uploads: [] }))
  const skipped = simulate(
    short({ uploads: [], faults: [{ kind: 'missed edge', atUtc: friday(19, 58) }] }),
  )
  assert.equal(skipped.missedEdges, 1)
  assert.ok(skipped.awakeHours - plain.awakeHours <= 5 / 60)
  const stuck = { fromUtc: friday(19, 58), toUtc: friday(48) }
  const held = simulate(short({ uploads: [], faults: [{ kind: 'stuck deployment', ...stuck }] }))
  assert.equal(held.alarms['awake though asleep is due'], 1)
  assert.ok(held.awakeHours - plain.awakeHours >= 27)
})

test('work still in hand after 30 minutes of overtime is handed back and ends later', () => {
  const handed = simulate(short({ uploads: [one(friday(19), 200)] }))
  assert.deepEqual([handed.handedBack, handed.killed, handed.lost], [1, 0, 0])
  assert.equal(simulate(short({ uploads: [one(friday(19), 85)] })).handedBack, 0)
})

test('a queue that keeps less than the closure expires, and the listing finds the upload', () => {
  const found = simulate(short({ uploads: [one(friday(21), 5)], retentionHours: 24 }))
  assert.deepEqual([found.expiredMessages, found.lost], [1, 0])
})

test('a trace is read with every problem by its number', () => {
  const good = readTrace([{ at: '2027-01-04T09:12:30Z', bytes: 12_000_000_000 }])
  assert.equal(good.kind === 'read' && good.uploads[0]?.minutes, 2)
  const bad = readTrace([{ at: 'Monday', minutes: 3 }, { at: '2027-01-04T09:12Z' }])
  assert.equal(bad.kind === 'refused' && bad.problems.length, 2)
  assert.equal(readTrace({}).kind, 'refused')
})

test.run()
