import type { CheckOutcome, CheckTally } from '../model/check.ts'

export const emptyTally: CheckTally = {
  expected: 0,
  passed: 0,
  failed: 0,
  unchecked: 0,
  noBasis: 0,
  notConfigured: 0,
}

/** Associative and commutative, with `emptyTally` as identity. */
export function addTally(a: CheckTally, b: CheckTally): CheckTally {
  return {
    expected: a.expected + b.expected,
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    unchecked: a.unchecked + b.unchecked,
    noBasis: a.noBasis + b.noBasis,
    notConfigured: a.notConfigured + b.notConfigured,
  }
}

/** The tally of so many files that are alike. */
export function timesTally(tally: CheckTally, files: number): CheckTally {
  return {
    expected: tally.expected * files,
    passed: tally.passed * files,
    failed: tally.failed * files,
    unchecked: tally.unchecked * files,
    noBasis: tally.noBasis * files,
    notConfigured: tally.notConfigured * files,
  }
}

const fieldFor = {
  passed: 'passed',
  noted: 'passed',
  failed: 'failed',
  unchecked: 'unchecked',
  'no basis': 'noBasis',
  'not configured': 'notConfigured',
} as const satisfies Record<CheckOutcome['kind'], keyof CheckTally>

/** The tally of one outcome. Something worth noting is still a pass. */
export function tallyOf({ kind }: CheckOutcome): CheckTally {
  return { ...emptyTally, expected: 1, [fieldFor[kind]]: 1 }
}

/** The law of the table of checks: nothing is left out, nothing counts twice. */
export function totalsAddUp(tally: CheckTally): boolean {
  const { expected, passed, failed, unchecked, noBasis, notConfigured } = tally
  return expected === passed + failed + unchecked + noBasis + notConfigured
}
