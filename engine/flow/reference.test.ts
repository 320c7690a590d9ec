import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import { consignmentReference, encodeSequence, isAcceptableReference } from './reference.ts'

const test = suite('consignment reference')

test("TDR's published vectors come out letter for letter", () => {
  assert.equal(consignmentReference('TDR', 2020, 5000n), 'TDR-2020-LBB')
  assert.equal(consignmentReference('TDR', 2020, 6000n), 'TDR-2020-MTB')
  assert.equal(consignmentReference('TDR', 2020, 9223372036854775807n), 'TDR-2020-JGXSCT7Q66HVKK')
  assert.equal(consignmentReference('TDR', 2021, 123456n), 'TDR-2021-K5RJ')
  assert.equal(consignmentReference('TDR', 2022, 0n), 'TDR-2022-B')
})

test('two sequences never share a reference', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 2n ** 63n }),
      fc.bigInt({ min: 0n, max: 2n ** 63n }),
      (a, b) => {
        assert.equal(encodeSequence(a) === encodeSequence(b), a === b)
      },
    ),
    { seed: 1 },
  )
})

test('a supplied reference that could leave its folder is not accepted', () => {
  assert.ok(isAcceptableReference('TDR-2026-ABC'))
  for (const bad of ['', '..', '../x', 'a/b', 'A B C D', '-ABC', 'x'.repeat(80)]) {
    assert.ok(!isAcceptableReference(bad), bad)
  }
})

test.run()
