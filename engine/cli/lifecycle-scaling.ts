import type { WindowsDocument } from '../../lifecycle/apply.ts'
import { compile, horizon } from '../../lifecycle/compile.ts'
import { pauseKey } from '../../lifecycle/pause.ts'
import { firedLast, replay } from '../../lifecycle/replay.ts'
import { createScaling, type Scaling } from '../../lifecycle/scaling.ts'
import { WINDOWS_KEY, windowsOf } from '../../lifecycle/windows.ts'
import type { Store } from '../adapters/store.ts'
import { ConfigError } from '../config.ts'
import { readText } from '../run/create-once.ts'
import type { Desk } from './lifecycle-desk.ts'
import type { Surroundings } from './surroundings.ts'

const MINUTE_MS = 60_000

export function resourceOf({ settings }: Desk): string {
  if (settings.resourceId === undefined)
    throw new ConfigError([
      '`lifecycle` needs `cluster` and `service`: the names of the ECS service that is put to sleep',
    ])
  return settings.resourceId
}

/** This year and those that the calendar knows to their end. */
function compiledYears({ holidays, nowUtc }: Pick<Desk, 'holidays' | 'nowUtc'>): readonly number[] {
  const year = new Date(nowUtc).getUTCFullYear()
  const last = holidays === undefined ? year + 1 : Number(holidays.coversTo.slice(0, 4)) - 1
  return Array.from({ length: Math.max(1, last - year + 1) }, (_, i) => year + i)
}

/** The scheduled action whose bounds are in force at a time, and when it fired; undefined beyond those years. */
export function actionInForce({ schedule, settings, holidays, nowUtc }: Desk, atUtc: number) {
  const years = compiledYears({ holidays, nowUtc })
  const { fromUtc, toUtc } = horizon(schedule.timeZone, years)
  if (atUtc < fromUtc || atUtc >= toUtc) return undefined
  const compiled = compile(schedule, holidays, years, settings.capacity)
  return firedLast(compiled, atUtc, fromUtc)
}

/** The scheduled actions, which AWS gets only after a replay of them has come out right in each minute. */
export function compiledFor({ schedule, settings, holidays, nowUtc }: Desk) {
  const years = compiledYears({ holidays, nowUtc })
  const compiled = compile(schedule, holidays, years, settings.capacity, nowUtc)
  const range = {
    fromUtc: Math.floor(nowUtc / MINUTE_MS) * MINUTE_MS,
    toUtc: horizon(schedule.timeZone, years).toUtc,
  }
  const wanted = windowsOf(settings.resourceId ?? '', schedule, holidays, settings.capacity, nowUtc)
  const windows = { ...wanted, horizonUtc: Math.min(wanted.horizonUtc, range.toUtc) }
  const proof = replay(compiled, windows, range)
  if (proof.wrongMinutes > 0 || proof.clashes > 0 || !proof.endsAwake)
    throw new Error(
      `bug: replayed, the scheduled actions are wrong in ${proof.wrongMinutes} minutes (the first ${new Date(proof.firstWrongUtc ?? 0).toISOString()}), clash in ${proof.clashes}; nothing was changed`,
    )
  return compiled
}

/** What AWS is asked by, for as long as `use` lasts. */
export async function withScaling<T>(
  surroundings: Surroundings,
  desk: Desk,
  use: (scaling: Scaling) => Promise<T>,
): Promise<T> {
  const [{ ApplicationAutoScalingClient }, { ECSClient }] = await Promise.all([
    import('@aws-sdk/client-application-auto-scaling'),
    import('@aws-sdk/client-ecs'),
  ])
  const endpoint = surroundings.env['WHARFINGER_AWS_ENDPOINT']
  const where = {
    region: desk.settings.region,
    maxAttempts: 1, // scaling.ts tries again, and knows what may be
    ...(endpoint === undefined ? {} : { endpoint }),
  }
  const [scaling, ecs] = [new ApplicationAutoScalingClient(where), new ECSClient(where)]
  try {
    return await use(await createScaling(resourceOf(desk), { scaling, ecs }))
  } finally {
    scaling.destroy()
    ecs.destroy()
  }
}

function documentIn(state: Store, key: string): WindowsDocument {
  return {
    read: async () => ((await state.head(key)) === undefined ? undefined : readText(state, key)),
    write: (json) => state.write(key, json),
  }
}

/** What should be of the service that a desk is about. */
export function wantedOf(desk: Desk) {
  const { schedule, holidays, settings, nowUtc, state } = desk
  return {
    compiled: compiledFor(desk),
    windows: windowsOf(resourceOf(desk), schedule, holidays, settings.capacity, nowUtc),
    document: documentIn(state, WINDOWS_KEY),
    pause: documentIn(state, pauseKey(resourceOf(desk))),
  }
}
