import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { awakeIntervals } from './awake.ts'
import { holidayCalendar, shippedSnapshot } from './bank-holidays.ts'
import { comparedPlans } from './compared-plans.ts'
import { forecastCost, hourUsd, renderCost, savedToDate, type TaskShape } from './cost.ts'
import { priceUsd, readPriceBook, shippedPriceBook } from './price-book.ts'
import { defaultSchedule } from './schedule.ts'

const test = suite('cost')
const book = shippedPriceBook
const year = { fromUtc: Date.UTC(2026, 0, 1), toUtc: Date.UTC(2027, 0, 1) }
const holidays = holidayCalendar(shippedSnapshot, 'england-and-wales')
const plans = (['awake', 'asleep'] as const).map((nights) => ({
  name: nights === 'awake' ? 'weekends' : 'nights and weekends',
  awake: awakeIntervals({ ...defaultSchedule, nights }, holidays, year),
}))
const small: TaskShape = { tasks: 1, vcpu: 1, memoryGb: 2, architecture: 'x86', scratchGb: 20 }
const standing = {
  'nat-gateway': 1,
  'load-balancer': 1,
  'interface-endpoint': 10,
  'public-address': 1,
} as const

test('the table of the year is reproduced', () => {
  const table = [
    small,
    { ...small, tasks: 2, vcpu: 2, memoryGb: 8 },
    { ...small, tasks: 4, vcpu: 4, memoryGb: 16 },
  ]
  const rows = table.map((shape) => {
    const { plans: costs } = forecastCost(book, 'eu-west-2', shape, {}, plans, year)
    return [
      ...costs.map(({ tasksUsd }) => Math.round(tasksUsd)),
      Math.round(costs[2]?.savedUsd ?? 0),
    ]
  })
  assert.deepEqual(rows, [
    [497, 312, 187, 311],
    [2348, 1471, 881, 1466],
    [9391, 5884, 3526, 5865],
  ])
  const { plans: costs } = forecastCost(book, 'eu-west-2', small, {}, plans, year)
  assert.deepEqual(
    costs.map(({ awakeHours }) => awakeHours),
    [8760, 5489, 3289],
  )
})

test('what still costs at zero is itemised, dearest first', () => {
  const { floor, floorUsd } = forecastCost(book, 'eu-west-2', small, standing, plans, year)
  assert.deepEqual(
    floor.map(({ usd }) => Math.round(usd ?? 0)),
    [964, 438, 232, 44],
  )
  assert.equal(Math.round(floorUsd), 1677)
})

test('a price that nobody knows is shown as unknown, not as nothing', () => {
  const unknown = forecastCost(book, 'eu-west-2', small, { 'object-storage': 500 }, plans, year)
  assert.equal(unknown.floor[0]?.usd, undefined)
  const text = renderCost(unknown)
  assert.match(text, /no price {2}GB stored.*: 500/)
  assert.match(text, /always on +8760 h +\$497 +\$0 +\$0 \+\?/)
  assert.throws(() => priceUsd(book, 'object-storage', 'eu-west-2'), /No price is known/)
})

test('money saved to date counts measured task time, a minute at least for each task', () => {
  const day = { fromUtc: year.fromUtc, toUtc: year.fromUtc + 86_400_000 }
  const at = (hours: number) => day.fromUtc + hours * 3_600_000
  const tasks = [
    { startedUtc: at(-2), stoppedUtc: at(1) },
    { startedUtc: at(6), stoppedUtc: at(6) + 5000 },
    { startedUtc: at(21), stoppedUtc: undefined },
    { startedUtc: at(-9), stoppedUtc: at(-8) },
  ]
  const { taskHours, savedUsd } = savedToDate(book, 'eu-west-2', small, tasks, day)
  assert.ok(Math.abs(taskHours - (4 + 1 / 60)) < 1e-9)
  assert.ok(Math.abs(savedUsd - (24 - taskHours) * hourUsd(book, 'eu-west-2', small)) < 1e-9)
})

test('a price without its reason, a source, or twice is refused, all problems at once', () => {
  const line = { item: 'key', unit: 'key-month', region: 'any', amountUsd: 1, source: 'a page' }
  assert.throws(
    () =>
      readPriceBook({
        lines: [line, line, { ...line, item: 'b', amountUsd: null }, { item: 'c' }],
      }),
    /line 2.*twice\n.*line 3.*null with a note\b.*\n.*line 4.*source/,
  )
})

test('a schedule stands beside itself with and without its nights, equal plans once', () => {
  const compared = comparedPlans(defaultSchedule, holidays, year)
  const { plans: costs } = forecastCost(book, 'eu-west-2', small, {}, compared, year)
  assert.deepEqual(
    costs.map(({ name, awakeHours }) => `${name} ${awakeHours}`),
    [
      'always on 8760',
      'as configured: asleep on closed days only 5489',
      'asleep in nights as well 3289',
    ],
  )
})

test.run()
