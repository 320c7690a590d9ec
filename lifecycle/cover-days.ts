/** The days of one month as bits: bit 0 is the first. */
export type DayBits = number

/** What one cron expression has to do in one month at one time of the day. */
export type MonthNeed = {
  /** Days on which it has to fire. */
  readonly needed: DayBits
  /** Days on which it must not; on all others it may, and changes nothing. */
  readonly forbidden: DayBits
  /** 0 for Monday to 6 for Sunday. */
  readonly firstWeekday: number
  readonly length: number
}

/** Days that one cron expression can name: on weekdays, or on days of the month. AWS allows no both. */
export type DayRule =
  | { readonly kind: 'weekdays'; readonly months: readonly number[]; readonly weekdays: number }
  | { readonly kind: 'days'; readonly months: readonly number[]; readonly days: DayBits }

// One more expression always weighs more than all that a year can fire.
const EXPRESSION_WEIGHT = 1000

/**
 * The fewest rules that fire on every needed day of a year and on no forbidden one; among equals,
 * those that fire least. `months` has one entry for each month, January first. Exact: twelve
 * months are few enough to try every partition that can be the best.
 */
export function coverDays(months: readonly MonthNeed[]): readonly DayRule[] {
  const candidates = [...weekdayCandidates(months), ...dayCandidates(months)]
  const known = new Map<number, { weight: number; rules: readonly DayRule[] }>([
    [0, { weight: 0, rules: [] }],
  ])
  const best = (open: number): { weight: number; rules: readonly DayRule[] } => {
    const before = known.get(open)
    if (before !== undefined) return before
    const first = open & -open
    let found: { weight: number; rules: readonly DayRule[] } | undefined
    for (const candidate of candidates) {
      if ((candidate.months & first) === 0) continue
      const taken = candidate.months & open
      const rest = best(open & ~taken)
      const weight = rest.weight + EXPRESSION_WEIGHT + candidate.fires(taken)
      if (found === undefined || weight < found.weight)
        found = { weight, rules: [candidate.rule(taken), ...rest.rules] }
    }
    if (found === undefined) throw new Error('bug: a day that is needed and forbidden at once')
    known.set(open, found)
    return found
  }
  const all = months.reduce((bits, { needed }, month) => bits | (needed === 0 ? 0 : 1 << month), 0)
  return best(all).rules
}

type Candidate = {
  /** Months in which the rule would be right, as bits. */
  readonly months: number
  readonly fires: (months: number) => number
  readonly rule: (months: number) => DayRule
}

function weekdayCandidates(months: readonly MonthNeed[]): Candidate[] {
  const candidates: Candidate[] = []
  for (let weekdays = 1; weekdays < 128; weekdays++) {
    const days = months.map((month) => daysOf(weekdays, month))
    const fits = months.reduce((bits, { needed, forbidden }, month) => {
      const fires = days[month] ?? 0
      const right = needed !== 0 && (needed & ~fires) === 0 && (fires & forbidden) === 0
      return right ? bits | (1 << month) : bits
    }, 0)
    if (fits === 0) continue
    candidates.push({
      months: fits,
      fires: (taken) => sum(bitsOf(taken).map((month) => countBits(days[month] ?? 0))),
      rule: (taken) => ({ kind: 'weekdays', months: bitsOf(taken).map(numbered), weekdays }),
    })
  }
  return candidates
}

/** Months share a list of days where no day that one needs is forbidden to another. */
function dayCandidates(months: readonly MonthNeed[]): Candidate[] {
  const friends = months.map((one) =>
    months.reduce((bits, other, month) => {
      const agree = (one.needed & other.forbidden) === 0 && (other.needed & one.forbidden) === 0
      return other.needed !== 0 && agree ? bits | (1 << month) : bits
    }, 0),
  )
  const candidates: Candidate[] = []
  for (let group = 1; group < 1 << months.length; group++) {
    if (bitsOf(group).some((month) => (group & ~(friends[month] ?? 0)) !== 0)) continue
    const daysFor = (taken: number) =>
      bitsOf(taken).reduce((days, month) => days | (months[month]?.needed ?? 0), 0)
    // A group that a friend of all could join is part of a larger one.
    const common = bitsOf(group).reduce((bits, month) => bits & (friends[month] ?? 0), -1)
    if ((common & ~group) !== 0) continue
    candidates.push({
      months: group,
      fires: (taken) => countBits(daysFor(taken)) * countBits(taken),
      rule: (taken) => ({
        kind: 'days',
        months: bitsOf(taken).map(numbered),
        days: daysFor(taken),
      }),
    })
  }
  return candidates
}

function daysOf(weekdays: number, { firstWeekday, length }: MonthNeed): DayBits {
  let days = 0
  for (let day = 0; day < length; day++) {
    if ((weekdays & (1 << ((firstWeekday + day) % 7))) !== 0) days |= 1 << day
  }
  return days
}

export function bitsOf(bits: number): number[] {
  const set: number[] = []
  for (let rest = bits; rest !== 0; rest &= rest - 1) set.push(31 - Math.clz32(rest & -rest))
  return set
}

function countBits(bits: number): number {
  return bitsOf(bits).length
}

function numbered(month: number): number {
  return month + 1
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
