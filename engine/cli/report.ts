import { newestReport, readDecisions } from '../run/decisions.ts'
import { readSummaries } from '../run/index-segments.ts'
import { readText } from '../run/create-once.ts'
import { Refusal } from '../run/decisions.ts'
import { renderText } from '../report/text.ts'
import type { Outcome } from '../model/outcome.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { loadConfig, withStores, type Surroundings } from './surroundings.ts'
import { renderVerdicts, reportAddress } from './table.ts'

/** `wharfinger report <reference>` and `wharfinger report --list`. */
export async function report(
  surroundings: Surroundings,
  reference: string | undefined,
  options: CommonOptions & { readonly list?: true | undefined },
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  if (reference === undefined && options.list !== true)
    throw new Refusal('name a consignment, or use --list to see them all')
  return withStores(config, async ({ state, reports }) => {
    if (reference === undefined) {
      const all = [...(await readSummaries(state)).values()]
      const text =
        options.json === true
          ? `${JSON.stringify(all, undefined, 2)}\n`
          : renderVerdicts(all, (one) => reportAddress(one, reports.address))
      surroundings.out.write(
        all.length === 0 && options.json !== true ? 'No consignment has a report yet.\n' : text,
      )
      return exitCodes.sound
    }
    const { attempt, delivered } = await newestReport(state, reports, reference)
    const json = delivered.files.find(({ name }) => name === 'report.json')
    const text = await readText(reports, json?.key ?? '')
    if (options.json === true) {
      surroundings.out.write(text)
      return exitCodes.sound
    }
    surroundings.out.write(renderText(JSON.parse(text) as Outcome))
    for (const decision of await readDecisions(state, attempt)) {
      surroundings.out.write(
        `${decision.kind.toUpperCase()} by ${decision.who} on ${decision.when.slice(0, 10)}: ${decision.why}\n`,
      )
    }
    surroundings.out.write(`\nThe whole report: ${reportAddress(delivered, reports.address)}\n`)
    return exitCodes.sound
  })
}
