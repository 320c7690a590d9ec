import { shippedSnapshot, type CalendarSnapshot } from '../../lifecycle/bank-holidays.ts'
import type { Holidays } from '../../lifecycle/awake.ts'
import { holidaysOf, type LifecycleSettings } from '../../lifecycle/lifecycle-config.ts'
import { OVERRIDES_PREFIX, parseLogged, withLogged } from '../../lifecycle/overrides.ts'
import type { Schedule } from '../../lifecycle/schedule.ts'
import type { Store } from '../adapters/store.ts'
import { ConfigError } from '../config.ts'
import { readText } from '../run/create-once.ts'
import type { CommonOptions } from './command.ts'
import { loadConfig, withStores, type Surroundings } from './surroundings.ts'

/** Everything that a command about the schedule works with. */
export type Desk = {
  readonly settings: LifecycleSettings
  /** The configuration's, with what `wake` and `sleep` logged on top. */
  readonly schedule: Schedule
  readonly holidays: Holidays
  readonly nowUtc: number
  readonly state: Store
}

export async function withDesk<T>(
  surroundings: Surroundings,
  options: CommonOptions,
  use: (desk: Desk) => Promise<T>,
): Promise<T> {
  const config = await loadConfig(surroundings, options.config)
  const settings = config.lifecycle
  if (settings === undefined)
    throw new ConfigError([
      'there is no `lifecycle` section, so nothing says when the service is awake; docs/reference/lifecycle.md shows one',
    ])
  return withStores(config, async ({ state }) =>
    use(await deskOf(state, settings, surroundings.now().getTime())),
  )
}

export async function deskOf(
  state: Store,
  settings: LifecycleSettings,
  nowUtc: number,
): Promise<Desk> {
  const schedule = await scheduleWithLogged(state, settings)
  const holidays = holidaysOf(schedule, await readSnapshot(state))
  return { settings, schedule, holidays, nowUtc, state }
}

export async function scheduleWithLogged(
  state: Store,
  settings: LifecycleSettings,
): Promise<Schedule> {
  const logged = []
  for await (const { key } of state.list({ prefix: OVERRIDES_PREFIX }))
    logged.push(parseLogged(await readText(state, key)))
  return withLogged(settings.schedule, settings.resourceId ?? '', logged)
}

export const CALENDAR_KEY = 'lifecycle/calendar.json'

/** The calendar somebody took last, or the one that is shipped. */
export async function readSnapshot(state: Store): Promise<CalendarSnapshot> {
  if ((await state.head(CALENDAR_KEY)) === undefined) return shippedSnapshot
  return JSON.parse(await readText(state, CALENDAR_KEY)) as CalendarSnapshot
}
