import { boundsAt, opensAt, parseWindows, WINDOWS_KEY } from '../../lifecycle/windows.ts'
import type { ServiceWindows } from '../../lifecycle/windows.ts'
import { readText } from '../run/create-once.ts'
import { Refusal } from '../run/decisions.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { loadConfig, withStores, type Surroundings } from './surroundings.ts'

/** `wharfinger lifecycle status`: from what was applied, so that it answers with AWS unreachable too. */
export async function status(surroundings: Surroundings, options: CommonOptions): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  return withStores(config, async ({ state }) => {
    if ((await state.head(WINDOWS_KEY)) === undefined)
      throw new Refusal(
        `no schedule has been applied to ${state.address}: nothing puts the service to sleep`,
      )
    const { services } = parseWindows(await readText(state, WINDOWS_KEY))
    const nowUtc = surroundings.now().getTime()
    const now = services.map((service) => statusOf(service, nowUtc))
    surroundings.out.write(
      options.json === true ? `${JSON.stringify(now)}\n` : now.map(statusText).join('\n'),
    )
    return exitCodes.sound
  })
}

const CHANGES_SHOWN = 5

type Status = ReturnType<typeof statusOf>

function statusOf(service: ServiceWindows, nowUtc: number) {
  const changes = service.awake
    .flatMap(({ fromUtc, toUtc }) => [
      { atUtc: fromUtc, state: 'awake' as const },
      { atUtc: toUtc, state: 'asleep' as const },
    ])
    .filter(({ atUtc }) => atUtc > nowUtc && atUtc < service.horizonUtc)
    .slice(0, CHANGES_SHOWN)
  return {
    service: service.resourceId,
    state: opensAt(service, nowUtc) === undefined ? ('awake' as const) : ('asleep' as const),
    ...boundsAt(service, nowUtc),
    changes: changes.map(({ atUtc, state }) => ({ at: new Date(atUtc).toISOString(), state })),
    knownUntil: new Date(service.horizonUtc).toISOString(),
  }
}

function statusText({ service, state, minTasks, maxTasks, changes, knownUntil }: Status): string {
  const lines = [
    `${service} should be ${state.toUpperCase()}: ${minTasks} to ${maxTasks} tasks`,
    ...changes.map((change) => `  ${change.at}  ${change.state}`),
    `  known until ${knownUntil}; awake after that`,
  ]
  return `${lines.join('\n')}\n`
}
