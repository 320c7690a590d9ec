import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import { isDate } from './cell-value.ts'
import { readDateOnce } from './date-reading.ts'
import { matchKey, nearMatchOf } from './match-key.ts'
import { pairRedactions } from './redaction-pairs.ts'
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

test('redacted copies find their originals by the names that TDR knows', () => {
  const { pairs, problems } = pairRedactions([
    'a.docx',
    'a_R.pdf',
    'b.doc',
    'b_Redacted1.doc',
    'c_redacted.txt',
    'd.doc',
    'd.docx',
    'd_R.pdf',
    'e.txt',
    'e_R.txt',
    'e_R.pdf',
    'plan_Red.txt',
    '_R.txt',
    'f_redacted_R2.txt',
    'f_redacted.txt',
  ])
  assert.deepEqual(pairs, [
    { redacted: 'a_R.pdf', original: 'a.docx' },
    { redacted: 'b_Redacted1.doc', original: 'b.doc' },
    { redacted: 'f_redacted_R2.txt', original: 'f_redacted.txt' },
  ])
  assert.deepEqual(problems, [
    { name: 'c_redacted.txt', problem: 'NoOriginalFile' },
    { name: 'd_R.pdf', problem: 'AmbiguousOriginalFile' },
    { name: 'e_R.pdf', problem: 'DuplicateFileName' },
    { name: 'e_R.txt', problem: 'DuplicateFileName' },
    { name: 'f_redacted.txt', problem: 'NoOriginalFile' },
  ])
})

test('names that differ only in form share a key, and the difference is named', () => {
  const near: [string, string, string[]][] = [
    ['a\\b.txt', 'a/b.txt', ['separator']],
    ['A/B.txt', 'a/b.TXT', ['case']],
    ['Cafe\u0301.txt', 'Caf\u00e9.txt', ['Unicode form']],
    ['a /b.txt ', 'a/b.txt', ['outer spaces']],
    ['./A\\b.txt', 'a/b.txt', ['separator', 'case']],
    ['a.txt', 'a.txt', []],
  ]
  for (const [a, b, differences] of near) {
    assert.equal(matchKey(a), matchKey(b))
    assert.deepEqual(nearMatchOf(a, b), differences)
  }
  assert.notEqual(matchKey('a.txt'), matchKey('b.txt'))
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
