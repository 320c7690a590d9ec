import { awakeIntervals, type Holidays } from './awake.ts'
import type { Upload } from './arrivals.ts'
import { SOFT_DELAY_MINUTES, horizon } from './compile.ts'
import { hourUsd, type TaskShape } from './cost.ts'
import { canonical, intersect, totalMs, type Interval } from './intervals.ts'
import type { PriceBook } from './price-book.ts'
import type { DriftKind } from './reconcile.ts'
import type { Capacity, Schedule } from './schedule.ts'
import type { Fault } from './simulated-faults.ts'
import { SimulatedService, type AppliedSchedule } from './simulated-service.ts'
import type { ServiceWindows } from './windows.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** After the range, how long what is left over may take before it counts as waiting or lost. */
const AFTERMATH_MS = 30 * 24 * HOUR_MS

export type Simulation = {
  readonly schedule: Schedule
  readonly holidays: Holidays
  readonly capacity: Capacity
  readonly range: Interval
  /** In order of time, in the range. */
  readonly uploads: readonly Upload[]
  readonly faults?: readonly Fault[]
  readonly retentionHours: number
  /** From a task's start until it works; image pull is the most of it. */
  readonly startMinutes?: number
  /** Each minute is asked about, not only those at which something happens: slow, and the same. */
  readonly everyMinute?: boolean
  /** Off only to see that work is lost without it. */
  readonly listsDropZones?: boolean
  /** Off only to see that effects are then there twice. */
  readonly createsOnce?: boolean
}

export type Simulated = {
  readonly uploads: number
  /** Hours in the range with at least one task, and those of all tasks, which are paid for. */
  readonly awakeHours: number
  readonly taskHours: number
  /** From upload to first start; undefined where nothing was started. */
  readonly waitMinutes: WaitMinutes | undefined
  /** Uploads with neither result nor message, long after the end. */
  readonly lost: number
  /** Results created more than once. */
  readonly duplicated: number
  /** Uploads that were still waiting or in work, long after the end. */
  readonly waiting: number
  readonly handedBack: number
  /** Tasks that were gone with work in their hands. */
  readonly killed: number
  readonly expiredMessages: number
  readonly missedEdges: number
  /** How often each began. */
  readonly alarms: Readonly<Partial<Record<DriftKind, number>>>
  /** By upload, in the order of the uploads; undefined where it was never started. */
  readonly startsUtc: readonly (number | undefined)[]
}

export type WaitMinutes = { readonly p50: number; readonly p95: number; readonly max: number }

/** A service under a schedule, from the start of the range until what came in it is done. */
export function simulate(options: Simulation): Simulated {
  const { range, uploads, faults = [], startMinutes = 3 } = options
  const service = new SimulatedService({
    applied: appliedSchedules(options, faults),
    uploads,
    faults,
    startUtc: range.fromUtc,
    startMinutes,
    retentionHours: options.retentionHours,
    listsDropZones: options.listsDropZones ?? true,
    createsOnce: options.createsOnce ?? true,
  })
  const isOver = (nowUtc: number) =>
    nowUtc >= range.toUtc &&
    (nowUtc >= range.toUtc + AFTERMATH_MS || service.queue.unfinished().length === 0)
  for (let nowUtc = range.fromUtc; !isOver(nowUtc);) {
    service.step(nowUtc)
    const nextUtc = options.everyMinute === true ? nowUtc + MINUTE_MS : service.nextUtc(nowUtc)
    nowUtc = nowUtc < range.toUtc ? Math.min(nextUtc, range.toUtc) : nextUtc
  }
  return measured(service, range)
}

function measured(service: SimulatedService, range: Interval): Simulated {
  const { queue, tasks, stopped } = service
  const billed = [...stopped, ...tasks].flatMap(({ pullStartedUtc, stoppedUtc = Infinity }) =>
    intersect([{ fromUtc: pullStartedUtc, toUtc: stoppedUtc }], [range]),
  )
  const unfinished = queue.unfinished()
  const held = new Set(tasks.map((task) => task.held?.message.consignment))
  const lost = unfinished.filter((one) => one.message === undefined && !held.has(one))
  const starts = queue.consignments.map(({ firstStartUtc }) => firstStartUtc)
  const waits = queue.consignments.flatMap(({ upload, firstStartUtc }) =>
    firstStartUtc === undefined ? [] : [(firstStartUtc - upload.atUtc) / MINUTE_MS],
  )
  return {
    uploads: queue.consignments.length,
    awakeHours: totalMs(canonical(billed)) / HOUR_MS,
    taskHours: totalMs(billed) / HOUR_MS,
    waitMinutes: quantiles(waits),
    lost: lost.length,
    duplicated: queue.consignments.filter(({ creations }) => creations > 1).length,
    waiting: unfinished.length - lost.length,
    handedBack: service.handedBack,
    killed: service.killed,
    expiredMessages: queue.expired,
    missedEdges: service.missedEdges,
    alarms: Object.fromEntries(service.alarms),
    startsUtc: starts,
  }
}

function quantiles(waits: number[]): WaitMinutes | undefined {
  const sorted = waits.sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
  return sorted.length === 0 ? undefined : { p50: at(0.5), p95: at(0.95), max: at(1) }
}

/** The schedule as applied; where a holiday is published late, first without it. */
function appliedSchedules(options: Simulation, faults: readonly Fault[]): AppliedSchedule[] {
  const late = faults.filter((fault) => fault.kind === 'late holiday')
  const changes = [options.range.fromUtc, ...late.map(({ publishedUtc }) => publishedUtc)]
  return changes
    .sort((a, b) => a - b)
    .map((fromUtc) => {
      const unknown = late.filter(({ publishedUtc }) => publishedUtc > fromUtc)
      const { holidays } = options
      const known =
        holidays === undefined || unknown.length === 0
          ? holidays
          : {
              ...holidays,
              holidays: new Map(
                [...holidays.holidays].filter(([date]) =>
                  unknown.every((one) => one.date !== date),
                ),
              ),
            }
      const windows = windowsIn(options, known)
      return { fromUtc, windows, edges: edgesOf(windows) }
    })
}

function windowsIn({ schedule, capacity, range }: Simulation, holidays: Holidays): ServiceWindows {
  return {
    resourceId: 'service/simulated/work',
    awake: awakeIntervals(schedule, holidays, range),
    horizonUtc: range.toUtc,
    ...capacity,
    closure: schedule.closure,
  }
}

/** What the scheduled actions have to do: at the end of the range, wake. */
function edgesOf({ awake, closure, minTasks, maxTasks, horizonUtc }: ServiceWindows) {
  const softMs = SOFT_DELAY_MINUTES * MINUTE_MS
  const edges = awake.flatMap(({ fromUtc, toUtc }) => [
    { atUtc: fromUtc, minTasks, maxTasks },
    { atUtc: toUtc, minTasks: 0, maxTasks: 0 },
    ...(closure === 'soft' ? [{ atUtc: toUtc + softMs, minTasks: 0, maxTasks }] : []),
  ])
  const inside = edges.filter(({ atUtc }) => atUtc < horizonUtc)
  return [...inside, { atUtc: horizonUtc, minTasks, maxTasks }]
}

/** What a year under one policy comes to. */
export type PolicyResult = Simulated & {
  readonly name: string
  readonly usd: number
  /** Less than always on. */
  readonly savedUsd: number
}

export type YearOptions = Pick<
  Simulation,
  'schedule' | 'holidays' | 'capacity' | 'uploads' | 'faults' | 'retentionHours'
> & {
  readonly year: number
  readonly book: PriceBook
  readonly region: string
  readonly shape: TaskShape
}

/** The year under four policies, and under the schedule as it is configured where that is a fifth. */
export function simulateYear(options: YearOptions): readonly PolicyResult[] {
  const { schedule, year, book, region, shape } = options
  const range = horizon(schedule.timeZone, [year])
  const oneTaskUsd = hourUsd(book, region, { ...shape, tasks: 1 })
  const simulated = policies(schedule).map(({ name, schedule: policy }) => {
    const result = simulate({ ...options, schedule: policy, range })
    return { name, ...result, usd: result.taskHours * oneTaskUsd }
  })
  const alwaysOnUsd = simulated[0]?.usd ?? 0
  return simulated.map((one) => ({ ...one, savedUsd: alwaysOnUsd - one.usd }))
}

/** The four policies that are compared, and the configured one where it is a fifth. */
export function policies(
  schedule: Schedule,
): { readonly name: string; readonly schedule: Schedule }[] {
  const all = [
    {
      name: 'always on',
      schedule: { ...schedule, windows: [], closedOn: 'no holidays', overrides: [] },
    },
    { name: 'closed days asleep', schedule: { ...schedule, nights: 'awake', closure: 'hard' } },
    { name: 'nights as well', schedule: { ...schedule, nights: 'asleep', closure: 'hard' } },
    {
      name: 'nights, soft closure',
      schedule: { ...schedule, nights: 'asleep', closure: 'soft' },
    },
    { name: 'as configured', schedule },
  ] as const
  const rule = ({ nights, closure }: Schedule) => `${nights} ${closure}`
  const same = all.findIndex(
    (one, index) => index > 0 && index < 4 && rule(one.schedule) === rule(schedule),
  )
  return all.flatMap((one, index) =>
    same > 0 && index === 4
      ? []
      : [{ ...one, name: index === same ? `${one.name} (as configured)` : one.name }],
  )
}
