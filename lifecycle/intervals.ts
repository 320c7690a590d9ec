/** A half-open stretch of time: `fromUtc` belongs to it, `toUtc` does not. Epoch milliseconds. */
export type Interval = {
  readonly fromUtc: number
  readonly toUtc: number
}

/**
 * Intervals in canonical form: sorted, not empty, and with a gap between any two. One set of
 * instants has exactly one canonical form, so equal sets compare equal as JSON.
 */
export type Intervals = readonly Interval[]

/** Sort, drop what is empty, and join what overlaps or touches. */
export function canonical(intervals: Iterable<Interval>): Intervals {
  const sorted = [...intervals]
    .filter(({ fromUtc, toUtc }) => fromUtc < toUtc)
    .sort((a, b) => a.fromUtc - b.fromUtc)
  const joined: { fromUtc: number; toUtc: number }[] = []
  for (const { fromUtc, toUtc } of sorted) {
    const last = joined.at(-1)
    if (last !== undefined && fromUtc <= last.toUtc) last.toUtc = Math.max(last.toUtc, toUtc)
    else joined.push({ fromUtc, toUtc })
  }
  return joined
}

export function union(a: Intervals, b: Intervals): Intervals {
  return canonical([...a, ...b])
}

/** Both arguments canonical; so is the result. */
export function intersect(a: Intervals, b: Intervals): Intervals {
  const common: Interval[] = []
  let i = 0
  let j = 0
  for (;;) {
    const left = a[i]
    const right = b[j]
    if (left === undefined || right === undefined) return common
    const fromUtc = Math.max(left.fromUtc, right.fromUtc)
    const toUtc = Math.min(left.toUtc, right.toUtc)
    if (fromUtc < toUtc) common.push({ fromUtc, toUtc })
    if (left.toUtc <= right.toUtc) i++
    else j++
  }
}

/** What of `range` is not in `intervals`. */
export function complement(intervals: Intervals, range: Interval): Intervals {
  const gaps: Interval[] = []
  let reached = range.fromUtc
  for (const { fromUtc, toUtc } of intersect(intervals, canonical([range]))) {
    if (reached < fromUtc) gaps.push({ fromUtc: reached, toUtc: fromUtc })
    reached = toUtc
  }
  if (reached < range.toUtc) gaps.push({ fromUtc: reached, toUtc: range.toUtc })
  return gaps
}

/** What is in `a` and not in `b`. */
export function subtract(a: Intervals, b: Intervals): Intervals {
  const first = a[0]
  const last = a.at(-1)
  if (first === undefined || last === undefined) return []
  return intersect(a, complement(b, { fromUtc: first.fromUtc, toUtc: last.toUtc }))
}

export function totalMs(intervals: Intervals): number {
  return intervals.reduce((sum, { fromUtc, toUtc }) => sum + toUtc - fromUtc, 0)
}

/** The interval that holds the instant, found by bisection. */
export function intervalAt(intervals: Intervals, instantUtc: number): Interval | undefined {
  let low = 0
  let high = intervals.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const candidate = intervals[middle]
    if (candidate === undefined) return undefined
    if (candidate.toUtc <= instantUtc) low = middle + 1
    else high = middle
  }
  const found = intervals[low]
  return found !== undefined && found.fromUtc <= instantUtc ? found : undefined
}
