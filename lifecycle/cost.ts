import { intersect, totalMs, type Interval, type Intervals } from './intervals.ts'
import { priceLine, priceUsd, type PriceBook } from './price-book.ts'

const HOUR_MS = 3_600_000
const HOURS_A_MONTH = 730
const FREE_SCRATCH_GB = 20

export type TaskShape = {
  readonly tasks: number
  readonly vcpu: number
  readonly memoryGb: number
  readonly architecture: 'x86' | 'arm'
  readonly scratchGb: number
}

/** What a deployment has besides tasks, and so pays for asleep or awake: amounts by price-book item. */
export type Standing = Readonly<Partial<Record<StandingItem, number>>>

/** Everything that costs at zero: how to say it, and what can be done about it. */
const standingItems = {
  'nat-gateway': [
    'NAT gateways',
    'give tasks public addresses; S3 is reached by its free gateway endpoint',
  ],
  'interface-endpoint': ['interface endpoints (one in each zone)', 'give tasks public addresses'],
  'load-balancer': ['load balancers', 'run without the API, or share one'],
  'public-address': ['public addresses kept while asleep', 'release what no task uses'],
  database: ['small databases', 'keep state in S3'],
  key: ['KMS keys', 'use the key that S3 manages'],
  secret: ['secrets', 'use task roles'],
  alarm: ['alarms', 'delete those nobody acts on'],
  'image-storage': ['GB of images', 'expire old images'],
  'object-storage': ['GB stored, noncurrent versions included', 'expire noncurrent versions'],
  'log-storage': ['GB of logs', 'set a retention on the log groups'],
  'malware-scan': ['GB scanned a month', 'scan only zones of unknown senders'],
  'write-request': ['thousand writes a month', 'tick less often while asleep'],
  'read-request': ['thousand reads a month', 'tick less often while asleep'],
} as const
type StandingItem = keyof typeof standingItems

export type FloorLine = {
  readonly what: string
  readonly amount: number
  /** Undefined where the price book has no figure. */
  readonly usd: number | undefined
  readonly remedy: string
}

export type PlanCost = {
  readonly name: string
  readonly awakeHours: number
  readonly tasksUsd: number
  /** Against always-on, in task time only. */
  readonly savedUsd: number
}

export type CostForecast = {
  readonly plans: readonly PlanCost[]
  /** Dearest first; unknown prices last. */
  readonly floor: readonly FloorLine[]
  /** Of the lines whose price is known. */
  readonly floorUsd: number
}

/** What one hour with all tasks running costs, traffic and standing costs aside. */
export function hourUsd(book: PriceBook, region: string, shape: TaskShape): number {
  const one =
    shape.vcpu * priceUsd(book, `vcpu-${shape.architecture}`, region) +
    shape.memoryGb * priceUsd(book, `memory-${shape.architecture}`, region) +
    Math.max(0, shape.scratchGb - FREE_SCRATCH_GB) * priceUsd(book, 'scratch', region)
  return shape.tasks * one
}

/** Each plan's hours and money beside always-on, and what is paid whatever the plan. */
export function forecastCost(
  book: PriceBook,
  region: string,
  shape: TaskShape,
  standing: Standing,
  plans: readonly { readonly name: string; readonly awake: Intervals }[],
  range: Interval,
): CostForecast {
  const rate = hourUsd(book, region, shape)
  const hours = (range.toUtc - range.fromUtc) / HOUR_MS
  const costs = [{ name: 'always on', awake: [range] }, ...plans].map(({ name, awake }) => {
    const awakeHours = totalMs(intersect(awake, [range])) / HOUR_MS
    const tasksUsd = awakeHours * rate
    return { name, awakeHours, tasksUsd, savedUsd: hours * rate - tasksUsd }
  })
  const floor = floorLines(book, region, standing, hours)
  return {
    plans: costs,
    floor,
    floorUsd: floor.reduce((sum, { usd = 0 }) => sum + usd, 0),
  }
}

function floorLines(book: PriceBook, region: string, standing: Standing, hours: number) {
  const lines = Object.entries(standingItems).flatMap(([item, [what, remedy]]): FloorLine[] => {
    const amount = Object.entries(standing).find(([name]) => name === item)?.[1] ?? 0
    if (amount === 0) return []
    const { amountUsd, unit } = priceLine(book, item, region)
    // Requests and scans are given by the month, as is everything not priced by the hour.
    const times = unit.endsWith('-hour') ? hours : hours / HOURS_A_MONTH
    return [{ what, amount, remedy, usd: amountUsd && amountUsd * amount * times }]
  })
  return lines.sort((a, b) => (b.usd ?? -1) - (a.usd ?? -1))
}

/** One task as ECS timed it: image pull began (`pullStartedAt`), stopped (`stoppedAt`). */
export type TaskTime = { readonly startedUtc: number; readonly stoppedUtc: number | undefined }

/** What was saved from `range.fromUtc` to `range.toUtc`, which is now, by measured task time. */
export function savedToDate(
  book: PriceBook,
  region: string,
  shape: TaskShape,
  tasks: readonly TaskTime[],
  range: Interval,
): { readonly taskHours: number; readonly paidUsd: number; readonly savedUsd: number } {
  const measuredMs = tasks.reduce((sum, { startedUtc, stoppedUtc = range.toUtc }) => {
    // Fargate bills each task for a minute at least.
    const billedTo = Math.max(stoppedUtc, startedUtc + 60_000)
    const from = Math.max(startedUtc, range.fromUtc)
    return sum + Math.max(0, Math.min(billedTo, range.toUtc) - from)
  }, 0)
  const rate = hourUsd(book, region, { ...shape, tasks: 1 })
  const taskHours = measuredMs / HOUR_MS
  const alwaysOn = (shape.tasks * (range.toUtc - range.fromUtc)) / HOUR_MS
  return { taskHours, paidUsd: taskHours * rate, savedUsd: (alwaysOn - taskHours) * rate }
}

/** For the terminal: the plans, what is paid at zero beside what is saved, what to remove next. */
export function renderCost({ plans, floor, floorUsd }: CostForecast): string {
  const unknown = floor.filter(({ usd }) => usd === undefined).length
  const floorText = `${dollars(floorUsd)}${unknown > 0 ? ' +?' : ''}`
  const wide = Math.max(4, ...plans.map(({ name }) => name.length))
  const row = (cells: readonly string[]) =>
    `${(cells[0] ?? '').padEnd(wide)}${cells
      .slice(1)
      .map((cell) => cell.padStart(14))
      .join('')}\n`
  const table = plans.map(({ name, awakeHours, tasksUsd, savedUsd }) =>
    row([name, `${Math.round(awakeHours)} h`, dollars(tasksUsd), dollars(savedUsd), floorText]),
  )
  const paid = floor.map(
    ({ what, amount, usd }) =>
      `${(usd === undefined ? 'no price' : dollars(usd)).padStart(10)}  ${what}: ${amount}\n`,
  )
  const [next] = floor
  return [
    row(['PLAN', 'AWAKE', 'TASKS', 'SAVED', 'FLOOR AT ZERO']),
    ...table,
    '\nPaid while everything sleeps, dearest first:\n',
    ...(paid.length > 0 ? paid : ['  nothing that was described\n']),
    ...(next === undefined ? [] : [`Remove next: ${next.what}: ${next.remedy}.\n`]),
    ...(unknown > 0
      ? ['+? No price is known of some lines, and the floor leaves them out.\n']
      : []),
  ].join('')
}

function dollars(usd: number): string {
  return `$${Math.round(usd).toLocaleString('en-GB')}`
}
