import { decide, newestAttempt, withdraw } from '../run/decisions.ts'
import type { Decision } from '../model/outcome.ts'
import type { CommonOptions } from './command.ts'
import { exitCodes } from './exit-code.ts'
import {
  loadConfig,
  openRetrying,
  withStores,
  zoneFor,
  zoneNamed,
  type Surroundings,
} from './surroundings.ts'

/** `wharfinger accept` and `wharfinger return`. */
export async function decideCommand(
  surroundings: Surroundings,
  kind: Decision['kind'],
  reference: string,
  options: CommonOptions & {
    readonly who: string
    readonly why: string
    readonly report?: string | undefined
    readonly zone?: string | undefined
  },
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  return withStores(config, async ({ state, reports }) => {
    const attempt = await newestAttempt(state, reference)
    const zone =
      options.zone === undefined
        ? zoneNamed(config, attempt.transfer.zone)
        : zoneFor(config, options.zone, surroundings.folder)
    const zoneStore = openRetrying(zone.store)
    try {
      const decision = await decide(state, reports, () => zoneStore, {
        kind,
        reference,
        who: options.who,
        why: options.why,
        now: surroundings.now(),
        ...(options.report === undefined ? {} : { reportDigest: options.report }),
      })
      surroundings.out.write(
        options.json === true
          ? `${JSON.stringify({ reference, ...decision })}\n`
          : `${reference} ${decision.kind} by ${decision.who}: ${decision.why}\n`,
      )
      return exitCodes.sound
    } finally {
      await zoneStore.close()
    }
  })
}

/** `wharfinger withdraw`. */
export async function withdrawCommand(
  surroundings: Surroundings,
  reference: string,
  options: CommonOptions & { readonly who: string; readonly why: string },
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  return withStores(config, async ({ state }) => {
    await withdraw(state, reference, {
      who: options.who,
      why: options.why,
      now: surroundings.now(),
    })
    surroundings.out.write(
      options.json === true
        ? `${JSON.stringify({ reference, kind: 'withdrawn' })}\n`
        : `${reference} withdrawn. Its records and reports stay where they are.\n`,
    )
    return exitCodes.sound
  })
}
