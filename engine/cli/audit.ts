import { exportAudit, readAudit } from '../service/audit.ts'
import { Refusal } from '../run/decisions.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { loadConfig, withStores, type Surroundings } from './surroundings.ts'

const DAY = /^\d{4}-\d{2}-\d{2}$/

/** `wharfinger audit`. */
export async function audit(
  surroundings: Surroundings,
  options: CommonOptions & {
    readonly from?: string | undefined
    readonly to?: string | undefined
    readonly csv?: true | undefined
  },
): Promise<number> {
  const { from, to } = options
  for (const day of [from, to])
    if (day !== undefined && !DAY.test(day))
      throw new Refusal(`\`${day}\` is no day; write it as 2026-11-24`)
  const config = await loadConfig(surroundings, options.config)
  return withStores(config, async ({ state }) => {
    const entries = async function* () {
      const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
      for await (const { entry } of readAudit(state, range)) yield entry
    }
    for await (const piece of exportAudit(entries(), options.csv === true ? 'csv' : 'jsonl'))
      surroundings.out.write(piece)
    return exitCodes.sound
  })
}
