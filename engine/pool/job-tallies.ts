import { jobs } from '../../jobs/index.ts'
import type { JobTallies } from './messages.ts'

/** Fold two sets of tallies; a job that is in one of them only keeps its own. */
export function mergeTallies(a: JobTallies, b: JobTallies): JobTallies {
  const merged: Record<string, unknown> = {}
  for (const [id, job] of Object.entries(jobs)) {
    if (id in a || id in b) merged[id] = job.merge(a[id] ?? job.empty, b[id] ?? job.empty)
  }
  return merged
}
