import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { PAUSE_LASTS_MS } from './pause.ts'
import { detectDrift, healsOf, type LevelFacts } from './reconcile.ts'

const OPENS = Date.UTC(2026, 10, 23, 7)
const CLOSES = Date.UTC(2026, 10, 23, 20)
const MINUTE_MS = 60_000
const wanted = {
  resourceId: 'service/cluster/work',
  awake: [
    { fromUtc: OPENS, toUtc: CLOSES },
    { fromUtc: OPENS + 86_400_000, toUtc: CLOSES + 86_400_000 },
  ],
  horizonUtc: OPENS + 90 * 86_400_000,
  minTasks: 1,
  maxTasks: 4,
  closure: 'hard',
} as const
const awakeAndWell: LevelFacts = {
  nowUtc: OPENS + 60 * MINUTE_MS,
  plan: [],
  wanted,
  applied: wanted,
  target: { minTasks: 1, maxTasks: 4, suspended: false },
  service: { desiredTasks: 1, runningTasks: 1 },
  pausedSinceUtc: undefined,
}
const asleepAndWell: LevelFacts = {
  ...awakeAndWell,
  nowUtc: CLOSES + 60 * MINUTE_MS,
  target: { minTasks: 0, maxTasks: 0, suspended: false },
  service: { desiredTasks: 0, runningTasks: 0 },
}
const kinds = (facts: LevelFacts) => detectDrift(facts).map(({ kind }) => kind)

const test = suite('drift from the schedule')

test('what is as it should be is no drift, awake and asleep', () => {
  assert.deepEqual(kinds(awakeAndWell), [])
  assert.deepEqual(kinds(asleepAndWell), [])
})

test('each of the eight kinds is told apart and has its own cure', () => {
  const gone = { kind: 'delete', name: 'lc.old', sentence: 'x' } as const
  const foreign = { kind: 'foreign', name: 'theirs', sentence: 'x' } as const
  const bounds = { minTasks: 1, maxTasks: 4 }
  const register = { kind: 'register', bounds, resume: false }
  const cases: readonly (readonly [Partial<LevelFacts>, string, object])[] = [
    [{ plan: [gone] }, 'action missing or altered', { kind: 'apply' }],
    [{ plan: [foreign] }, 'foreign action', { kind: 'nothing' }],
    [{ target: { minTasks: 0, maxTasks: 4, suspended: false } }, 'bounds', register],
    [{ target: { minTasks: 0, maxTasks: 4, suspended: true } }, 'suspended', { kind: 'nothing' }],
    [{ service: { desiredTasks: 9, runningTasks: 9 } }, 'wanted outside bounds', register],
    [{ service: { desiredTasks: 1, runningTasks: 0 } }, 'asleep though awake is due', register],
    [{ applied: { ...wanted, awake: [] } }, 'schedule or calendar changed', { kind: 'apply' }],
  ]
  for (const [change, kind, heal] of cases) {
    const [only, ...others] = detectDrift({ ...awakeAndWell, ...change })
    assert.deepEqual([only?.kind, only?.heal, others], [kind, heal, []])
  }
  const left = { ...asleepAndWell, service: { desiredTasks: 0, runningTasks: 1 } }
  assert.deepEqual(kinds(left), ['awake though asleep is due'])
})

test('waking may take ten minutes and closing forty-five before anybody is rung', () => {
  const waking = { ...awakeAndWell, service: { desiredTasks: 1, runningTasks: 0 } }
  assert.deepEqual(kinds({ ...waking, nowUtc: OPENS + 10 * MINUTE_MS - 1 }), [])
  assert.deepEqual(kinds({ ...waking, nowUtc: OPENS + 10 * MINUTE_MS }).length, 1)
  const closing = { ...asleepAndWell, service: { desiredTasks: 0, runningTasks: 1 } }
  assert.deepEqual(kinds({ ...closing, nowUtc: CLOSES + 44 * MINUTE_MS }), [])
})

test('a pause is left alone for five days and then ended, with the bounds of that moment', () => {
  const target = { minTasks: 0, maxTasks: 0, suspended: true }
  const paused = { ...awakeAndWell, target, pausedSinceUtc: awakeAndWell.nowUtc }
  assert.deepEqual(healsOf(detectDrift(paused)), [])
  const later = { ...paused, pausedSinceUtc: awakeAndWell.nowUtc - PAUSE_LASTS_MS }
  assert.deepEqual(healsOf(detectDrift(later)), [
    { kind: 'register', bounds: { minTasks: 1, maxTasks: 4 }, resume: true },
  ])
})

test.run()
