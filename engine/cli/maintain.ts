import { jobs } from '../../jobs/index.ts'
import { reindex } from '../run/index-segments.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { loadConfig, withStores, type Surroundings } from './surroundings.ts'
import { renderTable } from './table.ts'

/** `wharfinger jobs`. */
export async function listJobs(
  surroundings: Surroundings,
  options: CommonOptions,
): Promise<number> {
  const list = Object.values(jobs).map(({ id, summary }) => ({ id, summary }))
  surroundings.out.write(
    options.json === true
      ? `${JSON.stringify(list, undefined, 2)}\n`
      : renderTable(list.map(({ id, summary }) => [id, summary])),
  )
  return exitCodes.sound
}

/** `wharfinger reindex`. */
export async function reindexCommand(
  surroundings: Surroundings,
  options: CommonOptions,
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  return withStores(config, async ({ state, reports }) => {
    const count = await reindex(state, reports)
    surroundings.out.write(
      options.json === true
        ? `${JSON.stringify({ reports: count })}\n`
        : `${count} ${count === 1 ? 'report is' : 'reports are'} in the index.\n`,
    )
    return exitCodes.sound
  })
}
