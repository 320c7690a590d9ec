import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { holidayCalendar, shippedSnapshot } from './bank-holidays.ts'
import { weekSvg } from './calendar-svg.ts'
import { transitionsText, weekText, yearText } from './calendar-text.ts'
import { nextTransitions, weekView, yearView, type CalendarFacts } from './calendar-view.ts'
import { defaultSchedule } from './schedule.ts'

const test = suite('the calendar as a picture')
const facts: CalendarFacts = {
  schedule: {
    ...defaultSchedule,
    nights: 'asleep',
    overrides: [
      {
        from: '2026-05-09T10:00',
        to: '2026-05-09T16:30',
        state: 'awake',
        reason: 'a <late> delivery',
        by: 'ops',
      },
    ],
  },
  holidays: holidayCalendar(shippedSnapshot, 'england-and-wales'),
  nowUtc: Date.UTC(2026, 4, 6, 9, 10),
  actual: [{ fromUtc: Date.UTC(2026, 4, 5, 6, 5), toUtc: Date.UTC(2026, 4, 5, 19, 40) }],
}

test('a week begins on Monday and says what is not as every week', () => {
  const text = weekText(weekView(facts, '2026-05-06'))
  const lines = text.split('\n')
  assert.match(lines[1] ?? '', /^Mon 4 May {3}H{48} {2}Early May bank holiday$/)
  assert.equal(lines[2], `Tue 5 May   ${'·'.repeat(14)}${'█'.repeat(26)}${'·'.repeat(8)}`)
  assert.equal((lines[3] ?? '').indexOf('|') - 12, 20, 'now is 10:10 in London')
  assert.match(lines[6] ?? '', /^Sat 9 May {3}·{20}▓{13}·{15} {2}a <late> delivery$/)
})

test('a year has a sign for each day', () => {
  const lines = yearText(yearView(facts, 2026)).split('\n')
  assert.equal(
    lines
      .slice(1, 13)
      .join('')
      .replaceAll(/[A-Z][a-z]{2} {2}/g, '').length,
    365,
  )
  assert.equal(lines[5], 'May  ▄··H▄|▄▄▓·▄▄▄▄▄··▄▄▄▄▄··H▄▄▄▄··')
})

test('the next changes tell local time, UTC and the reason', () => {
  assert.equal(
    transitionsText(nextTransitions(facts, 2), 'Europe/London'),
    'Wed 6 May   20:00 (19:00 UTC)  closes  outside the weekly windows\n' +
      'Thu 7 May   07:00 (06:00 UTC)  opens   weekly window 07:00 to 20:00\n',
  )
})

test('the SVG has a name and a text for those who hear it, planned beside actual, and no markup of others', () => {
  const svg = weekSvg(weekView(facts, '2026-05-06'), 'This week')
  assert.match(svg, /<title id="week-title">This week<\/title>/)
  assert.match(svg, /Mon 4 May: bank holiday \(Early May bank holiday\) 00:00 to 24:00\./)
  assert.match(svg, /07:05 to 20:40: tasks ran/)
  assert.ok(!svg.includes('<late>') && svg.includes('&#60;late&#62;'))
  assert.ok(!/style=|<script|on\w+=/.test(svg), 'nothing that a content policy refuses')
})

test('days of 23 and of 25 hours are drawn by what their clocks show', () => {
  for (const [day, opens] of [
    ['2026-03-29', 0],
    ['2026-10-25', 0],
  ] as const) {
    const always = { ...facts, schedule: { ...defaultSchedule, windows: [] } }
    const sunday = weekView(always, day).at(-1)
    assert.equal(sunday?.date, day)
    assert.deepEqual(
      sunday?.parts.map(({ fromMinute, toMinute }) => [fromMinute, toMinute]),
      [[opens, 1440]],
    )
  }
})

test.run()
