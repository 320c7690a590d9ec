import { awakeIntervals } from '../../lifecycle/awake.ts'
import type { Store } from '../adapters/store.ts'
import type { EngineConfig } from '../config.ts'
import { asleepSlots, type AsleepSlots } from '../schedule/asleep-slots.ts'
import { deskOf } from './lifecycle-desk.ts'

const FOUR_WEEKS_MS = 28 * 24 * 60 * 60 * 1000

/** The configuration's schedules that ring while its lifecycle has the service asleep. */
export async function schedulesAsleep(
  config: EngineConfig,
  state: Store,
  now: Date,
): Promise<readonly AsleepSlots[]> {
  if (config.lifecycle === undefined) return []
  const { schedule, holidays, nowUtc } = await deskOf(state, config.lifecycle, now.getTime())
  const range = { fromUtc: nowUtc, toUtc: nowUtc + FOUR_WEEKS_MS }
  const awake = awakeIntervals(schedule, holidays, range)
  return config.schedules.flatMap((one) => asleepSlots(one, awake, range) ?? [])
}
