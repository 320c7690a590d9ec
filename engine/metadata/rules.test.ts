import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import { isDate } from './cell-value.ts'
import { readDateOnce } from './date-reading.ts'
import { parseProfile, ProfileError, tdrProfile } from './profile.ts'
import { compileProfile } from './compile-profile.ts'
import { emptyMetadataProfile, mergeMetadataProfiles } from './profile-tally.ts'
import type { MetadataProfile } from '../model/outcome.ts'

const test = suite('metadata rules')

test('a date is a day of the calendar, and every one is', () => {
  for (const text of ['2024-02-29', '2000-02-29', '0001-01-01', '2023-12-31'])
    assert.ok(isDate(text), text)
  for (const text of [
    '2023-02-29',
    '1900-02-29',
    '2023-13-01',
    '2023-00-10',
    '2023-04-31',
    '2023-4-1',
    '2023-04-1 ',
    '+023-01-01',
    '２023-01-01',
  ]) {
    assert.ok(!isDate(text), text)
  }
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }), (date) => {
      assert.ok(isDate(date.toISOString().slice(0, 10)))
    }),
    { seed: 1 },
  )
})

test('a date that can be read in one way only is read; any other is left', () => {
  const cases: Record<string, string | undefined> = {
    '26/03/2014': '2014-03-26',
    '03/26/2014': '2014-03-26',
    '05/05/2014': '2014-05-05',
    '03/04/2014': undefined,
    '3/4/2014': undefined,
    '26/03/14': undefined,
    '26/13/2014': undefined,
    '31/04/2014': undefined,
    '2014/3/26': '2014-03-26',
    '20140326': '2014-03-26',
    '2014326': undefined,
    '26 March 2014': '2014-03-26',
    '26-Mar-2014': '2014-03-26',
    'March 26th, 2014': '2014-03-26',
    '26 Ma 2014': undefined,
    '2014-03-26T00:00:00': '2014-03-26',
    '2014-03-26T23:30:00Z': undefined,
    '2014-03-26T00:00:00Z': undefined,
    '41724': undefined,
    '2014': undefined,
    'circa 1900': undefined,
  }
  for (const [text, day] of Object.entries(cases)) assert.equal(readDateOnce(text), day, text)
})

test('a profile that cannot be used says everything that is wrong with it', () => {
  const wrong = { ...tdrProfile, version: 3, requiredHeaders: ['colour'], rules: ['guess'] }
  assert.throws(
    () => parseProfile(wrong),
    (error) => error instanceof ProfileError && error.problems.length === 3,
  )
  const schemas = { base: { properties: { a: { type: 'nothing' } } } }
  assert.throws(() => compileProfile({ ...tdrProfile, schemas }), ProfileError)
})

test('a body may bring its own schema, with rules for the whole row', () => {
  const own = parseProfile({
    id: 'own',
    version: '1',
    summary: 'x',
    listSeparator: '|',
    rules: [],
    requiredHeaders: ['shelf'],
    columns: [{ property: 'shelf', header: 'Shelf mark', type: 'text' }],
    schemas: { base: { properties: { shelf: { pattern: '^S' } }, required: ['shelf'] } },
  })
  const compiled = compileProfile(own)
  const today = '2026-01-01'
  assert.deepEqual(compiled.checkValue('shelf', 'T1', today), [
    { property: 'shelf', code: 'METADATA.TEXT_PATTERN' },
  ])
  assert.deepEqual(compiled.checkRelationships({}, today), [
    { property: 'shelf', code: 'METADATA.VALUE_REQUIRED' },
  ])
})

test('profiles of documents merge the same in any order and grouping', () => {
  const empty = emptyMetadataProfile(tdrProfile)
  const count = fc.nat(9)
  const day = fc.constantFrom('2001-01-01', '2010-05-05', '2020-12-31')
  const one: fc.Arbitrary<MetadataProfile> = fc
    .record({
      rows: count,
      open: count,
      closed: count,
      closureUnknown: count,
      columnsKept: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
      headers: fc.uniqueArray(fc.constantFrom('x', 'y')),
      froms: fc.uniqueArray(fc.constantFrom('Yes', 'TRUE')),
      dates: fc.option(fc.tuple(day, day)),
    })
    .map(({ headers, froms, dates, ...rest }) =>
      mergeMetadataProfiles(empty, {
        ...empty,
        ...rest,
        columnsMapped: headers.map((header) => ({ header, property: header })),
        normalised: froms.map((from) => ({ column: 'c', from, to: 'true', count: 1 })),
        ...(dates === null ? {} : { dateRange: { from: dates[0], to: dates[1] } }),
      }),
    )
  const merge = mergeMetadataProfiles
  fc.assert(
    fc.property(one, one, one, (a, b, c) => {
      assert.deepEqual(merge(a, b), merge(b, a))
      assert.deepEqual(merge(merge(a, b), c), merge(a, merge(b, c)))
      assert.deepEqual(merge(a, empty), a)
    }),
    { seed: 2 },
  )
})

test.run()
