import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { awakeIntervals } from './awake.ts'
import { UnsureTimeError } from './local-time.ts'
import { parseLogged, requestOverride, withLogged, type LoggedOverride } from './overrides.ts'
import { defaultSchedule, type State } from './schedule.ts'

const RESOURCE = 'service/cluster/work'
const SATURDAY = Date.UTC(2026, 6, 4, 10)
const HOUR_MS = 3_600_000
const schedule = { ...defaultSchedule, closedOn: 'no holidays' } as const

function ask(state: State, until: string, nowUtc = SATURDAY): LoggedOverride {
  const request = { resourceId: RESOURCE, state, until, reason: 'a late delivery', by: 'operator' }
  const answer = requestOverride(request, 'Europe/London', nowUtc)
  if (answer.kind === 'refused') throw new Error(answer.problem)
  return parseLogged(JSON.stringify(answer.logged))
}
const awake = (logged: readonly LoggedOverride[]) =>
  awakeIntervals(withLogged(schedule, RESOURCE, logged), undefined, {
    fromUtc: SATURDAY - HOUR_MS,
    toUtc: SATURDAY + 10 * HOUR_MS,
  }).map(({ fromUtc, toUtc }) => [(fromUtc - SATURDAY) / HOUR_MS, (toUtc - SATURDAY) / HOUR_MS])

const test = suite('overrides asked for by an operator')

test('a wake on a Saturday holds until its end, in local time, and then ends by itself', () => {
  assert.deepEqual(awake([ask('awake', '2026-07-04T18:00')]), [[0, 7]]) // British Summer Time
  assert.deepEqual(awake([ask('awake', '2026-07-04T18:00Z')]), [[0, 8]])
})

test('a later one beats an earlier one where they meet, and the rest of the earlier one stays', () => {
  const wake = ask('awake', '2026-07-04T18:00Z')
  const sleep = ask('asleep', '2026-07-04T14:00Z', SATURDAY + 2 * HOUR_MS)
  assert.deepEqual(awake([sleep, wake]), [
    [0, 2],
    [4, 8],
  ])
  assert.equal(withLogged(schedule, 'service/cluster/serve', [wake, sleep]).overrides.length, 0)
})

test('what is not bounded, has no reason or is no time is refused with a sentence', () => {
  assert.throws(() => ask('awake', '2026-07-04T09:00Z'), /has passed/)
  assert.throws(() => ask('awake', '2026-08-04T09:00Z'), /more than 14 days/)
  for (const until of ['18:00', 'tomorrow', '2026-07-32T10:00', '2026-07-04T25:00', ''])
    assert.throws(() => ask('awake', until), /is no time/, until)
  const gap = Date.UTC(2027, 2, 27)
  assert.throws(() => ask('awake', '2027-03-28T01:30', gap), UnsureTimeError)
  const blank = { resourceId: RESOURCE, state: 'awake', until: '', by: 'x', reason: ' ' } as const
  assert.match(JSON.stringify(requestOverride(blank, 'UTC', SATURDAY)), /needs a reason/)
})

test('two of one instant have two keys, and keys sort by when they were asked for', () => {
  const request = { resourceId: RESOURCE, state: 'awake', until: '2026-07-04T18:00Z' } as const
  const keys = ['a', 'b'].map((by) =>
    requestOverride({ ...request, by, reason: 'x' }, 'UTC', SATURDAY),
  )
  assert.equal(new Set(keys.map((one) => (one.kind === 'logged' ? one.key : ''))).size, 2)
  assert.match(
    JSON.stringify(keys[0]),
    /lifecycle\/overrides\/2026-07-04T10-00-00-000Z-[0-9a-f]{12}/,
  )
})

test.run()
