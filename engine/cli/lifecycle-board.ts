import { comparedPlans } from '../../lifecycle/compared-plans.ts'
import { nextTransitions, weekView } from '../../lifecycle/calendar-view.ts'
import { weekSvg } from '../../lifecycle/calendar-svg.ts'
import { forecastCost, savedToDate } from '../../lifecycle/cost.ts'
import { measureDrift } from '../../lifecycle/heal.ts'
import { canonical } from '../../lifecycle/intervals.ts'
import { wallTime } from '../../lifecycle/local-time.ts'
import { shippedPriceBook } from '../../lifecycle/price-book.ts'
import { ScalingError } from '../../lifecycle/scaling.ts'
import type { Store } from '../adapters/store.ts'
import type { EngineConfig } from '../config.ts'
import type { LifecycleBoard } from '../dashboard/options.ts'
import { TaskTimes } from '../work/task-times.ts'
import { deskOf, type Desk } from './lifecycle-desk.ts'
import { wantedOf, withScaling } from './lifecycle-scaling.ts'
import type { Surroundings } from './surroundings.ts'

const FRESH_MS = 60_000

/** What the dashboard shows of opening hours and money; undefined where none are configured. */
export function lifecycleBoard(
  surroundings: Surroundings,
  config: EngineConfig,
  state: Store,
): (() => Promise<LifecycleBoard>) | undefined {
  const settings = config.lifecycle
  if (settings === undefined) return undefined
  const times = new TaskTimes(state)
  let known: { readonly at: number; readonly board: Promise<LifecycleBoard> } | undefined
  return () => {
    const nowUtc = surroundings.now().getTime()
    if (known !== undefined && nowUtc - known.at < FRESH_MS) return known.board
    const board = deskOf(state, settings, nowUtc).then((desk) => drawn(surroundings, desk, times))
    known = { at: nowUtc, board }
    board.catch(() => (known = undefined)) // asked again by the next page
    return board
  }
}

async function drawn(
  surroundings: Surroundings,
  desk: Desk,
  times: TaskTimes,
): Promise<LifecycleBoard> {
  const { schedule, holidays, settings, nowUtc } = desk
  const { date } = wallTime(schedule.timeZone, nowUtc)
  const year = Number(date.slice(0, 4))
  const range = { fromUtc: Date.UTC(year, 0, 1), toUtc: Date.UTC(year + 1, 0, 1) }
  const tasks = await times.since(range.fromUtc, nowUtc)
  const firstUtc = Math.min(...tasks.map(({ startedUtc }) => startedUtc))
  const actual = canonical(
    tasks.map(({ startedUtc, stoppedUtc = nowUtc }) => ({
      fromUtc: startedUtc,
      toUtc: stoppedUtc,
    })),
  )
  const facts = { schedule, holidays, nowUtc, actual }
  const { plans, floor, floorUsd } = forecastCost(
    shippedPriceBook,
    settings.region,
    settings.task,
    settings.standing,
    comparedPlans(schedule, holidays, range),
    range,
  )
  const sinceUtc = Math.max(range.fromUtc, firstUtc)
  return {
    svg: weekSvg(
      weekView(facts, date),
      `Opening hours of this week, times of ${schedule.timeZone}`,
    ),
    next: nextTransitions(facts, 5),
    calendar:
      holidays === undefined
        ? 'No bank holidays are kept.'
        : `Bank holidays from ${holidays.source}, as of ${holidays.asOf}, known to ${holidays.coversTo}.`,
    year,
    plans,
    floor,
    floorUsd,
    ...(tasks.length === 0
      ? {}
      : {
          saved: {
            sinceUtc,
            ...savedToDate(shippedPriceBook, settings.region, settings.task, tasks, {
              fromUtc: sinceUtc,
              toUtc: nowUtc,
            }),
          },
        }),
    ...(await driftOf(surroundings, desk)),
  }
}

async function driftOf(
  surroundings: Surroundings,
  desk: Desk,
): Promise<Pick<LifecycleBoard, 'drift' | 'driftUnknown'>> {
  if (desk.settings.resourceId === undefined) return {}
  try {
    const drift = await withScaling(surroundings, desk, (scaling) =>
      measureDrift(scaling, wantedOf(desk), desk.nowUtc),
    )
    return { drift: drift.map(({ kind, sentence, alarm }) => ({ kind, sentence, alarm })) }
  } catch (error) {
    if (!(error instanceof ScalingError)) throw error
    return { driftUnknown: error.message }
  }
}
