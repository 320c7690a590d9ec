import { jobs } from '../../jobs/index.ts'
import type { JobTallies } from './messages.ts'

/** Adds up sets of tallies; a job that is in some of them only counts those. */
export class TallySum {
  readonly #sum: Record<string, unknown> = {}

  add(tallies: JobTallies): void {
    for (const id in jobs) {
      const job = jobs[id]
      const next = tallies[id]
      if (job === undefined || next === undefined) continue
      const before = this.#sum[id]
      if (before === undefined || before === job.empty) this.#sum[id] = next
      else if (next !== job.empty) this.#sum[id] = job.merge(before, next)
    }
  }

  /** By job id, in the order of the list of jobs: it is stored. */
  get sum(): JobTallies {
    const inOrder: Record<string, unknown> = {}
    for (const id in jobs) if (this.#sum[id] !== undefined) inOrder[id] = this.#sum[id]
    return inOrder
  }
}
