import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { createFolderStore } from '../adapters/folder-store.ts'
import type { Store } from '../adapters/store.ts'
import { readCron } from './cron-slots.ts'
import { Keeper, type KeeperEvent } from './keeper.ts'
import type { Schedule } from './schedule-config.ts'
import { recordPause, SlotLedger } from './slot-ledger.ts'

const test = suite('keeper of schedules')
const folders: string[] = []
test.after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

const MINUTE = 60_000
const FRIDAY_19 = Date.parse('2026-11-27T19:00:00Z')
const MONDAY_7 = Date.parse('2026-11-30T07:00:00Z')

function makeStore(): Store {
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-slots-'))
  folders.push(folder)
  return createFolderStore(folder)
}

function hourly(policy: Partial<Schedule> = {}): Schedule {
  return {
    name: 'hourly',
    slots: readCron('0 * * * *', 'Europe/London'),
    missed: 'once',
    overlap: 'skip',
    jitterSeconds: 0,
    ...policy,
  }
}

/** A keeper with a clock of its own, in one of several tasks that share a store. */
function makeKeeper(state: Store, schedule: Schedule, work: () => Promise<void> | void = () => {}) {
  let nowUtc = FRIDAY_19
  const events: KeeperEvent[] = []
  const keeper = new Keeper({
    state,
    ledger: new SlotLedger(state, { beatMs: MINUTE, staleMs: 3 * MINUTE }),
    schedules: [schedule],
    run: async () => work(),
    now: () => new Date(nowUtc),
    random: () => 0.5,
    wait: () => Promise.resolve(),
    log: (event) => events.push(event),
  })
  return {
    keeper,
    rang: () => events.flatMap((event) => (event.kind === 'rang' ? [event.slot.slice(5, 16)] : [])),
    events,
    bellAt: async (utc: number) => {
      nowUtc = utc
      await keeper.bell()
      await keeper.settled()
    },
  }
}

test('a slot rings once, however many bells and tasks there are', async () => {
  const state = makeStore()
  const tasks = [1, 2, 3].map(() => makeKeeper(state, hourly()))
  for (let minute = 0; minute <= 120; minute++)
    await Promise.all(tasks.map((task) => task.bellAt(FRIDAY_19 + minute * MINUTE)))
  assert.deepEqual(tasks.flatMap((task) => task.rang()).sort(), [
    '11-27T19:00',
    '11-27T20:00',
    '11-27T21:00',
  ])
})

test('stopped on Friday and started on Monday, exactly what the policy says is run', async () => {
  const expected = {
    skip: ['11-27T19:00', '11-30T08:00'],
    once: ['11-27T19:00', '11-30T07:00', '11-30T08:00'],
  } as const
  for (const missed of ['skip', 'once', 'all'] as const) {
    const state = makeStore()
    const friday = makeKeeper(state, hourly({ missed }))
    await friday.bellAt(FRIDAY_19)
    const monday = makeKeeper(state, hourly({ missed }))
    await monday.bellAt(MONDAY_7 + 30 * MINUTE)
    await monday.bellAt(MONDAY_7 + 60 * MINUTE)
    const rang = [...friday.rang(), ...monday.rang()]
    if (missed === 'all') assert.equal(rang.length, 1 + 61)
    else assert.deepEqual(rang, expected[missed])
  }
})

test('a schedule that nobody has run yet has missed nothing', async () => {
  const { bellAt, rang } = makeKeeper(makeStore(), hourly({ missed: 'all' }))
  await bellAt(FRIDAY_19 + 30 * MINUTE)
  assert.deepEqual(rang(), [])
})

test('a process frozen for hours handles what it slept through, by the policy', async () => {
  const { bellAt, rang } = makeKeeper(makeStore(), hourly())
  await bellAt(FRIDAY_19)
  await bellAt(FRIDAY_19 + 5 * 60 * MINUTE + MINUTE)
  assert.deepEqual(rang(), ['11-27T19:00', '11-28T00:00'])
})

test('while a run goes on, the next slot is left out or waits, by the policy', async () => {
  for (const overlap of ['skip', 'queue'] as const) {
    let finish = () => {}
    const long = new Promise<void>((resolve) => (finish = resolve))
    const task = makeKeeper(makeStore(), hourly({ overlap }), () => long)
    const first = task.bellAt(FRIDAY_19)
    await task.keeper.bell()
    const second = task.bellAt(FRIDAY_19 + 60 * MINUTE)
    await task.keeper.bell()
    finish()
    await Promise.all([first, second])
    assert.equal(task.rang().length, overlap === 'queue' ? 2 : 1, overlap)
  }
})

test('a slot that failed is rung again at the next bell', async () => {
  let tries = 0
  const task = makeKeeper(makeStore(), hourly(), () => {
    if (++tries === 1) throw new Error('the store was away')
  })
  await task.bellAt(FRIDAY_19)
  assert.deepEqual(task.rang(), [])
  await task.bellAt(FRIDAY_19 + MINUTE)
  assert.deepEqual(task.rang(), ['11-27T19:00'])
  await task.bellAt(FRIDAY_19 + 2 * MINUTE)
  assert.equal(tries, 2)
})

test('a slot whose task died is rung again by another', async () => {
  const state = makeStore()
  let die = () => {}
  const dead = makeKeeper(state, hourly(), () => new Promise<void>((resolve) => (die = resolve)))
  void dead.bellAt(FRIDAY_19)
  while (
    (await new SlotLedger(state, { beatMs: 1, staleMs: 1 }).newest('hourly', FRIDAY_19)) ===
    undefined
  )
    await new Promise((resolve) => setImmediate(resolve))
  const other = makeKeeper(state, hourly())
  await other.bellAt(FRIDAY_19 + MINUTE)
  assert.deepEqual(other.rang(), [], 'the other task may be alive')
  // No sign of life for as long as it takes: the store's clock says so.
  const late: Store = { ...state, ageMs: () => Promise.resolve(10 * MINUTE) }
  const third = makeKeeper(late, hourly())
  await third.bellAt(FRIDAY_19 + 10 * MINUTE)
  assert.deepEqual(third.rang(), ['11-27T19:00'])
  die()
  await dead.keeper.settled()
})

test('a paused schedule rings no slot until it is resumed', async () => {
  const state = makeStore()
  const word = { who: 'an operator', why: 'a move of disks', at: '2026-11-27T18:00:00Z' }
  await recordPause(state, 'hourly', { ...word, paused: true })
  const task = makeKeeper(state, hourly())
  await task.bellAt(FRIDAY_19)
  await recordPause(state, 'hourly', { ...word, paused: false })
  await task.bellAt(FRIDAY_19 + 60 * MINUTE)
  assert.deepEqual(task.rang(), ['11-27T20:00'])
})

test.run()
