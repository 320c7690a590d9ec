import { awakeIntervals, type Holidays } from './awake.ts'
import type { Interval, Intervals } from './intervals.ts'
import type { Schedule } from './schedule.ts'

export type ComparedPlan = { readonly name: string; readonly awake: Intervals }

/** The schedule, and itself with its nights kept and with its nights closed; equal ones once. */
export function comparedPlans(
  schedule: Schedule,
  holidays: Holidays,
  range: Interval,
): readonly ComparedPlan[] {
  const plans: ComparedPlan[] = [
    { name: 'as configured', awake: awakeIntervals(schedule, holidays, range) },
  ]
  for (const nights of ['awake', 'asleep'] as const) {
    const awake = awakeIntervals({ ...schedule, nights }, holidays, range)
    const name = nights === 'awake' ? 'asleep on closed days only' : 'asleep in nights as well'
    const same = plans.findIndex((one) => JSON.stringify(one.awake) === JSON.stringify(awake))
    const found = plans[same]
    if (found === undefined) plans.push({ name, awake })
    else plans[same] = { ...found, name: `${found.name}: ${name}` }
  }
  return plans
}
