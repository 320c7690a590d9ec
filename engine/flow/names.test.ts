import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import { matchKey, nearMatchOf } from './match-key.ts'
import { judgeRedactions, redactedStem, withoutExtension } from './redaction-pairs.ts'

const test = suite('names')

test('a redacted copy is told by the endings that TDR knows', () => {
  const stems: Record<string, string | undefined> = {
    'a_R.pdf': 'a',
    'b_Redacted1.doc': 'b',
    'c_redacted.txt': 'c',
    'plan_Red.txt': undefined,
    '_R.txt': undefined,
    'f_redacted_R2.txt': 'f_redacted',
    'plain.txt': undefined,
    'no extension_R': 'no extension',
  }
  for (const [name, stem] of Object.entries(stems)) assert.equal(redactedStem(name), stem, name)
  assert.equal(withoutExtension('.hidden'), '.hidden')
})

test('a redacted copy needs one original, whatever its extension, and no twin', () => {
  const codes = (named: string[], copies: string[]) =>
    Object.fromEntries(judgeRedactions(named, copies))
  assert.deepEqual(codes(['a.docx'], ['a_R.pdf', 'a_R1.pdf']), {})
  assert.deepEqual(codes([], ['c_redacted.txt']), { 'c_redacted.txt': 'REDACTION.NO_ORIGINAL' })
  assert.deepEqual(codes(['d.doc', 'd.docx'], ['d_R.pdf']), {
    'd_R.pdf': 'REDACTION.AMBIGUOUS_ORIGINAL',
  })
  assert.deepEqual(codes(['e.txt'], ['e_R.txt', 'e_R.pdf']), {
    'e_R.txt': 'REDACTION.DUPLICATE',
    'e_R.pdf': 'REDACTION.DUPLICATE',
  })
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

test('a key is the same whether a path is read the short way or the long one', () => {
  const segment = fc
    .array(fc.constantFrom('a', 'Z', '7', '.', ' ', '-', '(', '\t', '\\', './', '//'), {
      minLength: 1,
      maxLength: 6,
    })
    .map((characters) => `x${characters.join('')}`)
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments) => {
      // A letter beyond ASCII sends all of it the long way.
      const path = segments.join('/')
      assert.equal(matchKey(`${path}/x\u00e9`), `${matchKey(`${path}/x`)}\u00e9`)
    }),
  )
})

test.run()
