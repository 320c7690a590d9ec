/** One recorded attempt at a chunk, or at a part of one that keeps killing its worker. */
export type Try = {
  readonly kind: 'started' | 'crashed' | 'unchecked' | 'handed back' | 'given up'
  /** Positions within the chunk, half open. */
  readonly from: number
  readonly to: number
  readonly at: string
  /** For 'unchecked': how many files, and why. */
  readonly reasons?: readonly string[]
}

export type Isolation = {
  /** Ranges still to be run, in order. */
  readonly ranges: readonly { readonly from: number; readonly to: number }[]
  /** Files that end their worker whenever they are read alone. */
  readonly poisoned: readonly number[]
}

const WHOLE_CHUNK_TRIES = 3
const SINGLE_FILE_TRIES = 3

/**
 * What of a chunk to run next, given every earlier try.
 *
 * A chunk that took its worker with it three times is halved, and its halves again, until single
 * files are left. A kill from outside looks the same as a crash and costs a halving, never a file:
 * a file is given up only after three deaths on its own.
 */
export function isolate(count: number, tries: readonly Try[]): Isolation {
  const ranges: { from: number; to: number }[] = []
  const poisoned: number[] = []
  const visit = (from: number, to: number, allowed: number) => {
    if (deaths(tries, from, to) < allowed) ranges.push({ from, to })
    else if (to - from === 1) poisoned.push(from)
    else {
      const middle = from + Math.floor((to - from) / 2)
      for (const [start, end] of [
        [from, middle],
        [middle, to],
      ] as const) {
        visit(start, end, end - start === 1 ? SINGLE_FILE_TRIES : 1)
      }
    }
  }
  if (count > 0) visit(0, count, WHOLE_CHUNK_TRIES)
  return { ranges, poisoned }
}

/** Tries of exactly this range that ended with the worker, or with the whole process. */
function deaths(tries: readonly Try[], from: number, to: number): number {
  const ofKind = (kind: Try['kind']) =>
    tries.filter((one) => one.kind === kind && one.from === from && one.to === to).length
  return Math.max(
    ofKind('crashed'),
    ofKind('started') - ofKind('unchecked') - ofKind('handed back'),
  )
}

const LONGEST_GAP_COUNTED_MS = 3_600_000

/**
 * How long the engine has been awake and trying, from the times of its tries. A gap of more than
 * an hour is sleep and counts as one hour, so that a weekend uses up no deadline.
 */
export function awakeHours(tries: readonly Try[]): number {
  const times = tries.map(({ at }) => Date.parse(at)).sort((a, b) => a - b)
  let total = 0
  for (const [i, time] of times.entries()) {
    const previous = times[i - 1]
    if (previous !== undefined) total += Math.min(time - previous, LONGEST_GAP_COUNTED_MS)
  }
  return total / 3_600_000
}
