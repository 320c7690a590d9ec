import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { asleepAnswer } from './asleep-answer.ts'
import { decideTick, type ServiceFacts } from './decide-tick.ts'
import { tickMetrics } from './tick-metrics.ts'
import { opensAt, parseWindows, type ServiceWindows } from '../../lifecycle/windows.ts'

const FRIDAY_EVENING = Date.UTC(2026, 10, 20, 20)
const SATURDAY = Date.UTC(2026, 10, 21, 12)
const MONDAY_MORNING = Date.UTC(2026, 10, 23, 7)
const windows: ServiceWindows = {
  resourceId: 'service/cluster/work',
  awake: [
    { fromUtc: Date.UTC(2026, 10, 16, 7), toUtc: FRIDAY_EVENING },
    { fromUtc: MONDAY_MORNING, toUtc: Date.UTC(2026, 10, 27, 20) },
  ],
  horizonUtc: Date.UTC(2026, 11, 31),
  minTasks: 1,
  maxTasks: 4,
  closure: 'hard',
}
const open: ServiceFacts = {
  minTasks: 1,
  maxTasks: 4,
  suspended: false,
  desiredTasks: 1,
  runningTasks: 1,
  nowUtc: MONDAY_MORNING,
}
const closed: ServiceFacts = {
  ...open,
  minTasks: 0,
  maxTasks: 0,
  desiredTasks: 0,
  runningTasks: 0,
  nowUtc: SATURDAY,
}
const metricsOf = (facts: ServiceFacts, own: ServiceWindows | undefined = windows) =>
  tickMetrics('service/cluster/work', facts, decideTick(facts, own)) as Record<string, unknown>

const test = suite('the tick')

test('what is as it should be is left alone, awake and asleep', () => {
  assert.equal(decideTick(open, windows).bounds, undefined)
  assert.equal(decideTick(closed, windows).bounds, undefined)
})

test('a missed opening is made good', () => {
  assert.deepEqual(decideTick({ ...closed, nowUtc: MONDAY_MORNING }, windows).bounds, {
    minTasks: 1,
    maxTasks: 4,
  })
})

test('where nothing runs 10 minutes after opening it is tried once more, and only once', () => {
  const stuck = { ...open, runningTasks: 0 }
  const tries = [0, 5, 10, 15, 20].filter((minutes) => {
    const nowUtc = MONDAY_MORNING + minutes * 60_000
    return decideTick({ ...stuck, nowUtc }, windows).bounds !== undefined
  })
  assert.deepEqual(tries, [10])
  assert.equal(decideTick({ ...open, nowUtc: MONDAY_MORNING + 600_000 }, windows).bounds, undefined)
})

test('a missed closing is made good, and in a soft closure a backlog may still open', () => {
  const awakeOnSaturday = { ...open, nowUtc: SATURDAY }
  assert.deepEqual(decideTick(awakeOnSaturday, windows).bounds, { minTasks: 0, maxTasks: 0 })
  assert.deepEqual(decideTick(awakeOnSaturday, { ...windows, closure: 'soft' }).bounds, {
    minTasks: 0,
    maxTasks: 4,
  })
})

test('bounds that a deployment has reset are set again', () => {
  assert.deepEqual(decideTick({ ...open, minTasks: 0 }, windows).bounds, {
    minTasks: 1,
    maxTasks: 4,
  })
})

test('a floor without tasks is tried again; a task that is wanted and does not run is for the alarm', () => {
  assert.deepEqual(decideTick({ ...open, desiredTasks: 0, runningTasks: 0 }, windows).bounds, {
    minTasks: 1,
    maxTasks: 4,
  })
  const stuck = { ...open, runningTasks: 0 }
  assert.equal(decideTick(stuck, windows).bounds, undefined)
  assert.equal(metricsOf(stuck)['MissingAwake'], 1)
})

test('what a person has suspended is left alone and shown', () => {
  const paused = { ...closed, suspended: true, nowUtc: MONDAY_MORNING }
  assert.equal(decideTick(paused, windows).bounds, undefined)
  assert.equal(metricsOf(paused)['Suspended'], 1)
})

test('before a schedule was ever applied it only observes', () => {
  for (const facts of [open, closed]) assert.equal(decideTick(facts, undefined).bounds, undefined)
  assert.equal(metricsOf({ ...open, runningTasks: 0 }, undefined)['MissingAwake'], 1)
})

test('beyond the horizon of the calendar it is awake: doubt costs money, never work', () => {
  const later = { ...closed, nowUtc: windows.horizonUtc + 1 }
  assert.deepEqual(decideTick(later, windows).bounds, { minTasks: 1, maxTasks: 4 })
})

test('a healthy sleep measures as asleep and as nothing else', () => {
  const { Asleep, MissingAwake, LeftRunning, RunningTasks } = metricsOf(closed)
  assert.deepEqual(
    { Asleep, MissingAwake, LeftRunning, RunningTasks },
    { Asleep: 1, MissingAwake: 0, LeftRunning: 0, RunningTasks: 0 },
  )
  assert.equal(metricsOf({ ...closed, runningTasks: 1 })['LeftRunning'], 1)
})

test('every figure that is declared is in the line', () => {
  const line = metricsOf(open) as { _aws: { CloudWatchMetrics: { Metrics: { Name: string }[] }[] } }
  for (const { Name } of line._aws.CloudWatchMetrics[0]?.Metrics ?? [])
    assert.equal(typeof metricsOf(open)[Name], 'number', Name)
})

test('opening belongs to the window, closing does not', () => {
  assert.equal(opensAt(windows, MONDAY_MORNING), undefined)
  assert.equal(opensAt(windows, MONDAY_MORNING - 1), MONDAY_MORNING)
  assert.equal(opensAt(windows, FRIDAY_EVENING), MONDAY_MORNING)
})

test('asleep, a caller hears when it opens and how to finish without the API', () => {
  const answer = asleepAnswer(windows, SATURDAY)
  assert.equal(answer.statusCode, 503)
  assert.equal(answer.headers['Retry-After'], String(43 * 3600))
  const problem = JSON.parse(answer.body) as Record<string, unknown>
  assert.equal(problem['opensAt'], '2026-11-23T07:00:00.000Z')
  assert.match(String(problem['detail']), /complete\.json at its root/)
})

test('while it starts, a caller is asked to come back in five minutes', () => {
  for (const own of [windows, undefined]) {
    const answer = asleepAnswer(own, MONDAY_MORNING)
    assert.equal(answer.headers['Retry-After'], '300')
  }
})

test('a document that is not one of windows is refused, not read as asleep', () => {
  assert.deepEqual(parseWindows(JSON.stringify({ version: 1, services: [windows] })).services, [
    windows,
  ])
  for (const text of [
    '',
    '{}',
    '{"version":2,"services":[]}',
    '{"version":1,"services":[{"resourceId":"a"}]}',
  ])
    assert.throws(() => parseWindows(text))
})

test.run()
