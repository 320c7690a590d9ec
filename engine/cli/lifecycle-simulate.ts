import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readTrace, seededArrivals, seeded, type Upload } from '../../lifecycle/arrivals.ts'
import { horizon } from '../../lifecycle/compile.ts'
import { shippedPriceBook } from '../../lifecycle/price-book.ts'
import type { Schedule } from '../../lifecycle/schedule.ts'
import { policies, simulateYear, type PolicyResult } from '../../lifecycle/simulate.ts'
import { yearOfFaults } from '../../lifecycle/simulated-faults.ts'
import { Refusal } from '../run/decisions.ts'
import type { CommonOptions } from './command.ts'
import { exitCodes } from './exit-code.ts'
import { withDesk } from './lifecycle-desk.ts'
import type { Surroundings } from './surroundings.ts'
import { renderTable } from './table.ts'

const MISS_ONE_IN = 20
const THROTTLE_ONE_IN = 10

/** `wharfinger lifecycle simulate`: a year under four policies, with uploads and what goes wrong. */
export async function simulateCommand(
  surroundings: Surroundings,
  options: CommonOptions & {
    readonly year?: string | undefined
    readonly arrivals?: string | undefined
    readonly seed: string
    readonly faults: boolean
    readonly served: boolean
  },
): Promise<number> {
  const seed = Number(options.seed)
  if (!Number.isInteger(seed) || seed < 0)
    throw new Refusal(`--seed takes a whole number, not ${options.seed}`)
  return withDesk(surroundings, options, async ({ settings, schedule, holidays, nowUtc }) => {
    const year = Number(options.year ?? new Date(nowUtc).getUTCFullYear() + 1)
    const last = holidays === undefined ? 2100 : Number(holidays.coversTo.slice(0, 4))
    if (!Number.isInteger(year) || year < 2019 || year > last)
      throw new Refusal(`--year takes a year from 2019 to ${last}, not ${options.year ?? ''}`)
    const range = horizon(schedule.timeZone, [year])
    const uploads =
      options.arrivals === undefined
        ? seededArrivals(seed, range, schedule.timeZone)
        : uploadsFrom(resolve(surroundings.folder, options.arrivals))
    const faults = options.faults ? yearOfFaults(seeded(seed), range) : []
    const { capacity, retentionHours, region, task } = settings
    const common = { schedule, holidays, capacity }
    const results = simulateYear({
      ...common,
      year,
      uploads: uploads.filter(({ atUtc }) => atUtc >= range.fromUtc && atUtc < range.toUtc),
      faults,
      retentionHours,
      book: shippedPriceBook,
      region,
      shape: task,
    })
    const served = options.served
      ? await serveAll(policies(schedule), (policy) => ({
          ...common,
          schedule: policy,
          range,
          years: [year],
          seed,
          missOneIn: options.faults ? MISS_ONE_IN : 0,
          throttleOneIn: options.faults ? THROTTLE_ONE_IN : 0,
        }))
      : []
    surroundings.out.write(
      options.json === true
        ? `${JSON.stringify({ year, seed, faults: faults.length, policies: results.map((one) => ({ ...one, startsUtc: undefined })), served }, undefined, 2)}\n`
        : `${year}, ${results[0]?.uploads ?? 0} uploads, ${faults.length} faults (seed ${seed}), ${region}\n\n${resultsTable(results)}${servedTable(served)}`,
    )
    const unsafe = results.some(({ lost, duplicated }) => lost + duplicated > 0)
    return unsafe ? exitCodes.unexpected : exitCodes.sound
  })
}

type Served = Awaited<ReturnType<typeof import('../../fixtures/served-year.ts').serveYear>> & {
  readonly name: string
}

async function serveAll(
  all: readonly { readonly name: string; readonly schedule: Schedule }[],
  optionsOf: (
    schedule: Schedule,
  ) => Parameters<typeof import('../../fixtures/served-year.ts').serveYear>[0],
): Promise<readonly Served[]> {
  const { serveYear } = await import('../../fixtures/served-year.ts')
  const served: Served[] = []
  // Always on has no edges that could be wrong.
  for (const { name, schedule } of all.filter((one) => one.schedule.windows.length > 0))
    served.push({ name, ...(await serveYear(optionsOf(schedule))) })
  return served
}

function uploadsFrom(file: string): readonly Upload[] {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Refusal(`${file} ${error instanceof SyntaxError ? 'is not JSON' : 'cannot be read'}`)
  }
  const trace = readTrace(json)
  if (trace.kind === 'refused')
    throw new Refusal(`${file} is no trace of uploads: ${trace.problems.slice(0, 5).join('; ')}`)
  return trace.uploads
}

function resultsTable(results: readonly PolicyResult[]): string {
  const header = [
    'POLICY',
    'AWAKE',
    'TASK HOURS',
    'COST',
    'SAVED',
    'WAIT p50',
    'p95',
    'LONGEST',
    'HANDED BACK',
    'LOST',
  ]
  const rows = results.map((one) => [
    one.name,
    `${Math.round(one.awakeHours)} h`,
    String(Math.round(one.taskHours)),
    dollars(one.usd),
    dollars(one.savedUsd),
    span(one.waitMinutes?.p50),
    span(one.waitMinutes?.p95),
    span(one.waitMinutes?.max),
    String(one.handedBack),
    String(one.lost),
  ])
  return renderTable([header, ...rows])
}

function servedTable(served: readonly Served[]): string {
  if (served.length === 0) return ''
  const header = [
    'ON THE SERVER',
    'ACTIONS',
    'MINUTES',
    'WRONG',
    'LONGEST',
    'MISSED',
    'THROTTLED',
    'CALLS',
  ]
  const rows = served.map((one) => [
    one.name,
    String(one.scheduledActions),
    one.minutes.toLocaleString('en-GB'),
    String(one.wrongMinutes),
    `${one.longestWrongMinutes} min`,
    String(one.missedEdges),
    String(one.throttled),
    one.calls.toLocaleString('en-GB'),
  ])
  return `\n${renderTable([header, ...rows])}`
}

function dollars(usd: number): string {
  return `$${Math.round(usd).toLocaleString('en-GB')}`
}

/** `3 min`, `2.5 h`. */
function span(minutes: number | undefined): string {
  if (minutes === undefined) return '-'
  return minutes < 120 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`
}
