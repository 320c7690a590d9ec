import { jobs } from '../../jobs/index.ts'
import type { JobTallies } from './messages.ts'

/** Fold sets of tallies; a job that is in some of them only counts those. */
export function sumTallies(all: readonly JobTallies[]): JobTallies {
  const sum: Record<string, unknown> = {}
  for (const [id, job] of Object.entries(jobs)) {
    let tally: unknown
    for (const one of all) {
      const next = one[id]
      if (next !== undefined) tally = tally === undefined ? next : job.merge(tally, next)
    }
    if (tally !== undefined) sum[id] = tally
  }
  return sum
}
