import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { asleepSlots, asleepWords, neverRings } from './asleep-slots.ts'
import { readCron } from './cron-slots.ts'
import type { Schedule } from './schedule-config.ts'

const test = suite('schedules and sleep')

const at = (text: string) => Date.parse(text)
const range = { fromUtc: at('2026-11-23T00:00Z'), toUtc: at('2026-11-30T00:00Z') }
/** Monday 07:00 to Friday 20:00. */
const awake = [{ fromUtc: at('2026-11-23T07:00Z'), toUtc: at('2026-11-27T20:00Z') }]

function schedule(cron: string, missed: Schedule['missed']): Schedule {
  const slots = readCron(cron, 'Europe/London')
  return { name: 'nightly', slots, missed, overlap: 'skip', jitterSeconds: 0 }
}

test('a schedule inside the opening hours says nothing', () => {
  assert.equal(asleepSlots(schedule('0 9 * * 1-5', 'skip'), awake, range), undefined)
})

test('one that rings at a weekend is named, with what becomes of it', () => {
  const some = asleepSlots(schedule('0 9 * * *', 'skip'), awake, range)
  assert.ok(some)
  assert.equal(neverRings(some), false)
  assert.equal(
    asleepWords(some),
    '`nightly` rings while the service is asleep, 2 of 7 times in the next four weeks, first on Sat 28 Nov 2026 09:00 Europe/London (09:00 UTC): those are left out; move it into the opening hours, or set `missed: once`',
  )
})

test('one that nobody is ever awake for never rings, unless it is made up for', () => {
  const sundays = (missed: Schedule['missed']) => {
    const found = asleepSlots(schedule('0 3 * * 0', missed), awake, range)
    assert.ok(found)
    return found
  }
  assert.equal(neverRings(sundays('skip')), true)
  assert.equal(neverRings(sundays('once')), false)
  assert.match(asleepWords(sundays('once')), /one run for all of them follows at the opening$/)
})

test.run()
