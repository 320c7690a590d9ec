import { randomBytes } from 'node:crypto'
import { drainDefaults } from '../../lifecycle/drain.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { openStore, storeSelfTest } from '../adapters/open-store.ts'
import { retrying } from '../adapters/retrying-store.ts'
import type { Store } from '../adapters/store.ts'
import { createApi, type ApiOptions } from '../api/app.ts'
import { laptopToken, oidcTokens } from '../api/authenticate.ts'
import type { ApiParts } from '../api/parts.ts'
import { ConfigError, type EngineConfig } from '../config.ts'
import type { StoreAddress } from '../pool/messages.ts'
import { ConsignmentIndex } from '../service/consignment-index.ts'
import type { Awake } from '../service/context.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { OpeningHours } from '../work/opening-hours.ts'
import { dashboardRoutes, type DashboardWiring } from './dashboard-routes.ts'
import { loadConfig, openRetrying, type Surroundings } from './surroundings.ts'

const DRAINING_MS = drainDefaults.leadMinutes * 60_000
const HOURS_FRESH_MS = 60_000
const LEAST_PAUSE_MS = 10_000
const PAUSE_FACTOR = 20 // looking for what is new takes a twentieth of the time at most

/** `wharfinger serve`: answer until told to stop; finish what has begun. */
export async function serve(surroundings: Surroundings, options: CommonOptions): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  await serveWith(surroundings, config, {})
  return exitCodes.sound
}

/** Serve with the dashboard, knowing from the state when the workers are awake. */
export async function serveWith(
  surroundings: Surroundings,
  config: EngineConfig,
  more: Pick<ServiceHooks, 'onListening'> & Pick<DashboardWiring, 'runSchedule'>,
): Promise<void> {
  const store = openRetrying(config.state)
  const hours = new OpeningHours(store, undefined)
  await hours.refresh()
  const refreshing = setInterval(() => {
    // What cannot be read now is read again; the hours known so far stay.
    hours.refresh().catch(() => undefined)
  }, HOURS_FRESH_MS)
  try {
    await runService(surroundings, config, {
      ...more,
      awake: () => awakeAt(hours, surroundings.now()),
      plugins: (token) => dashboardRoutes(surroundings, config, { ...more, token }),
    })
  } finally {
    clearInterval(refreshing)
    await store.close()
  }
}

function awakeAt(hours: OpeningHours, now: Date): Awake {
  const { windowOpen, closesAt } = hours.windowAt(now)
  if (windowOpen && closesAt !== undefined && closesAt.getTime() - now.getTime() <= DRAINING_MS) {
    const again = hours.opensAt(closesAt)
    return { state: 'draining', ...(again === undefined ? {} : { until: again }) }
  }
  if (windowOpen) return { state: 'open', ...(closesAt === undefined ? {} : { until: closesAt }) }
  const opensAt = hours.opensAt(now)
  return { state: 'asleep', ...(opensAt === undefined ? {} : { until: opensAt }) }
}

export type ServiceHooks = {
  /** The dashboard and other routes. `token`: what opens everything, on a laptop alone. */
  readonly plugins?: (token: string | undefined) => ApiOptions['plugins']
  readonly awake?: () => Awake
  /** Called when it listens. `token`: what opens everything, on a laptop alone. */
  readonly onListening?: (service: {
    readonly url: string
    readonly token: string | undefined
    readonly parts: ApiParts
  }) => void
}

/** Open everything that serving needs, serve until the signal, close it again. */
export async function runService(
  surroundings: Surroundings,
  config: EngineConfig,
  hooks: ServiceHooks,
): Promise<void> {
  const { service } = config
  const zone = config.dropZones.find(
    ({ name }) => service.dropZone === undefined || name === service.dropZone,
  )
  if (zone === undefined)
    throw new ConfigError(['no drop zone is configured: `serve` needs `dropZones` to land in'])
  const state = openImpatient(config.state)
  const reports = openImpatient(config.reports)
  const zones = new Map(config.dropZones.map((one) => [one.name, openImpatient(one.store)]))
  const index = new ConsignmentIndex(
    state,
    config.dropZones.map(({ name }) => name),
  )
  const token = service.oidc === undefined ? randomBytes(24).toString('base64url') : undefined
  try {
    await storeSelfTest(state)
    const { api, parts } = createApi({
      context: {
        config,
        zone,
        zoneStore: zones.get(zone.name) ?? openImpatient(zone.store),
        otherZones: zones,
        state,
        reports,
        now: surroundings.now,
        awake: hooks.awake ?? (() => ({ state: 'open' })),
      },
      index,
      authenticate:
        service.oidc === undefined
          ? laptopToken(token ?? '')
          : oidcTokens(service.oidc, surroundings.now),
      logger: { level: 'warn', stream: surroundings.err },
      ...pluginsFor(hooks, token),
    })
    const url = await api.listen({ host: service.host, port: service.port })
    surroundings.out.write(`Serving at ${url} (what there is: ${url}/docs)\n`)
    if (token !== undefined)
      surroundings.out.write(`Token, for this machine and until it stops: ${token}\n`)
    hooks.onListening?.({ url, token, parts })
    const refreshing = keepFresh(index, surroundings)
    await stopped(surroundings.signal)
    const end = performance.now() + service.stopSeconds * 1000
    const left = () => Math.max(0, end - performance.now())
    const drained = parts.draining.drain(left())
    await delay(Math.min(left(), service.lingerSeconds * 1000))
    await drained
    api.server.closeAllConnections()
    await Promise.race([api.close(), delay(left(), undefined, { ref: false })])
    await Promise.race([refreshing, delay(left(), undefined, { ref: false })])
  } finally {
    await Promise.all([state, reports, ...zones.values()].map((store) => store.close()))
  }
}

function pluginsFor(
  { plugins }: ServiceHooks,
  token: string | undefined,
): Pick<ApiOptions, 'plugins'> {
  const all = plugins?.(token)
  return all === undefined ? {} : { plugins: all }
}

/** A caller waits: a few quick tries, then an answer that says so. */
function openImpatient(address: StoreAddress): Store {
  return retrying(openStore(address), { attempts: 4, baseDelayMs: 50, maxDelayMs: 1000 })
}

/** Look for new consignments again and again; a store that does not answer is asked again later. */
async function keepFresh(index: ConsignmentIndex, { signal, err }: Surroundings): Promise<void> {
  let failing = false
  while (!signal.aborted) {
    const started = performance.now()
    try {
      await index.refresh()
      failing = false
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'StoreError') throw error
      if (!failing) err.write('The list of consignments cannot be refreshed; trying again.\n')
      failing = true
    }
    const pauseMs = Math.max(LEAST_PAUSE_MS, PAUSE_FACTOR * (performance.now() - started))
    await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

async function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  )
}
