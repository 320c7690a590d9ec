import { userInfo } from 'node:os'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { apply, type WindowsDocument } from '../../lifecycle/apply.ts'
import { decide, type Holidays } from '../../lifecycle/awake.ts'
import {
  readPublishedCalendar,
  shippedSnapshot,
  type CalendarSnapshot,
} from '../../lifecycle/bank-holidays.ts'
import { comparedPlans } from '../../lifecycle/compared-plans.ts'
import { compile, horizon } from '../../lifecycle/compile.ts'
import { forecastCost, hourUsd, renderCost } from '../../lifecycle/cost.ts'
import { refreshSnapshot } from '../../lifecycle/diff-calendars.ts'
import { measureDrift, reconcile } from '../../lifecycle/heal.ts'
import { holidaysOf, type LifecycleSettings } from '../../lifecycle/lifecycle-config.ts'
import { lintSettings } from '../../lifecycle/lints.ts'
import { instantOf, wallTime } from '../../lifecycle/local-time.ts'
import {
  OVERRIDES_PREFIX,
  parseLogged,
  requestOverride,
  withLogged,
} from '../../lifecycle/overrides.ts'
import { hasChanges, planActions } from '../../lifecycle/plan.ts'
import { shippedPriceBook } from '../../lifecycle/price-book.ts'
import { remarkableDays } from '../../lifecycle/remarkable-days.ts'
import { replay } from '../../lifecycle/replay.ts'
import { createScaling, type Scaling } from '../../lifecycle/scaling.ts'
import type { Schedule } from '../../lifecycle/schedule.ts'
import { WINDOWS_KEY, windowsOf } from '../../lifecycle/windows.ts'
import type { Store } from '../adapters/store.ts'
import { ConfigError } from '../config.ts'
import { readText } from '../run/create-once.ts'
import { Refusal } from '../run/decisions.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { loadConfig, withStores, type Surroundings } from './surroundings.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Everything that a command about the schedule works with. */
type Desk = {
  readonly settings: LifecycleSettings
  /** The configuration's, with what `wake` and `sleep` logged on top. */
  readonly schedule: Schedule
  readonly holidays: Holidays
  readonly nowUtc: number
  readonly state: Store
}

async function withDesk<T>(
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
  return withStores(config, async ({ state }) => {
    const nowUtc = surroundings.now().getTime()
    const schedule = await scheduleWithLogged(state, settings)
    const holidays = holidaysOf(schedule, await readSnapshot(state))
    return use({ settings, schedule, holidays, nowUtc, state })
  })
}

async function scheduleWithLogged(state: Store, settings: LifecycleSettings): Promise<Schedule> {
  const logged = []
  for await (const { key } of state.list({ prefix: OVERRIDES_PREFIX }))
    logged.push(parseLogged(await readText(state, key)))
  return withLogged(settings.schedule, settings.resourceId ?? '', logged)
}

function resourceOf({ settings }: Desk): string {
  if (settings.resourceId === undefined)
    throw new ConfigError([
      '`lifecycle` needs `cluster` and `service`: the names of the ECS service that is put to sleep',
    ])
  return settings.resourceId
}

/** The scheduled actions, which AWS gets only after a replay of them has come out right in each minute. */
function compiledFor({ schedule, settings, holidays, nowUtc }: Desk) {
  const year = new Date(nowUtc).getUTCFullYear()
  const last = holidays === undefined ? year + 1 : Number(holidays.coversTo.slice(0, 4)) - 1
  const years = Array.from({ length: Math.max(1, last - year + 1) }, (_, i) => year + i)
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

/** Refuses what must not reach AWS, with every reason and fix. */
function refuseLints({ settings, schedule, holidays, nowUtc }: Desk): void {
  // What was logged has run out by itself; only the configuration's own overrides are judged.
  const lints = lintSettings(
    { ...settings, schedule: { ...schedule, overrides: settings.schedule.overrides } },
    holidays,
    nowUtc,
  )
  if (lints.length > 0) throw new ConfigError(lints.map(({ reason, fix }) => `${reason} ${fix}`))
}

async function withScaling<T>(
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

function documentIn(state: Store): WindowsDocument {
  return {
    read: async () =>
      (await state.head(WINDOWS_KEY)) === undefined ? undefined : readText(state, WINDOWS_KEY),
    write: (json) => state.write(WINDOWS_KEY, json),
  }
}

function wantedOf(desk: Desk) {
  const { schedule, holidays, settings, nowUtc, state } = desk
  return {
    compiled: compiledFor(desk),
    windows: windowsOf(resourceOf(desk), schedule, holidays, settings.capacity, nowUtc),
    document: documentIn(state),
    pausedSinceUtc: undefined,
  }
}

const SIGNS = { create: '+', update: '~', delete: '-', 'no change': ' ', foreign: '?' } as const
const CHANGED = 2

/** `wharfinger lifecycle plan`: exit 0 for nothing to do, 2 for changes, 1 for an error. */
export async function plan(surroundings: Surroundings, options: CommonOptions): Promise<number> {
  try {
    return await withDesk(surroundings, options, async (desk) => {
      refuseLints(desk)
      const planned = await withScaling(surroundings, desk, async (scaling) =>
        planActions(compiledFor(desk), await scaling.actions(), desk.nowUtc),
      )
      if (options.json === true)
        surroundings.out.write(`${JSON.stringify(planned, undefined, 2)}\n`)
      else {
        for (const { kind, sentence } of planned)
          surroundings.out.write(`${SIGNS[kind]} ${sentence}\n`)
        const range = { fromUtc: desk.nowUtc, toUtc: desk.nowUtc + 366 * DAY_MS }
        for (const day of remarkableDays(desk.schedule, desk.holidays, range))
          surroundings.out.write(`  ${day}\n`)
        surroundings.out.write(
          hasChanges(planned)
            ? '`wharfinger lifecycle apply` makes it so.\n'
            : 'Nothing to do: AWS has exactly this.\n',
        )
      }
      return hasChanges(planned) ? CHANGED : exitCodes.sound
    })
  } catch (error) {
    // 2 means changes here, so a configuration that cannot be used is 1.
    if (!(error instanceof ConfigError)) throw error
    surroundings.err.write(
      `The schedule cannot be applied:\n${error.message.replace(/^/gm, '  ')}\n`,
    )
    return exitCodes.unexpected
  }
}

/** `wharfinger lifecycle apply`. */
export async function applySchedule(
  surroundings: Surroundings,
  options: CommonOptions,
): Promise<number> {
  return withDesk(surroundings, options, async (desk) => {
    refuseLints(desk)
    const { compiled, windows, document } = wantedOf(desk)
    const applied = await withScaling(surroundings, desk, (scaling) =>
      apply(scaling, compiled, windows, document, desk.nowUtc),
    )
    const done = applied.plan.filter(({ kind }) => kind !== 'no change' && kind !== 'foreign')
    if (options.json === true) surroundings.out.write(`${JSON.stringify(applied, undefined, 2)}\n`)
    else {
      for (const { kind, sentence } of done) surroundings.out.write(`${SIGNS[kind]} ${sentence}\n`)
      surroundings.out.write(
        done.length === 0 && !applied.windowsWritten
          ? 'Nothing to do: AWS has exactly this.\n'
          : `Applied and read back: ${compiled.length} scheduled actions.\n`,
      )
    }
    return exitCodes.sound
  })
}

/** `wharfinger lifecycle why <time>`: the rule that decides, its source, and what the hour costs. */
export async function why(
  surroundings: Surroundings,
  time: string,
  options: CommonOptions,
): Promise<number> {
  return withDesk(surroundings, options, (desk) => {
    const { schedule, holidays, settings } = desk
    const atUtc = instantIn(time, schedule.timeZone)
    const decision = decide(schedule, holidays, atUtc)
    const wall = wallTime(schedule.timeZone, atUtc)
    const usd = hourUsd(shippedPriceBook, settings.region, settings.task)
    const fact = {
      at: new Date(atUtc).toISOString(),
      local: `${wall.date} ${wall.time}`,
      timeZone: schedule.timeZone,
      ...decision,
      hourUsd: usd,
    }
    surroundings.out.write(
      options.json === true
        ? `${JSON.stringify(fact, undefined, 2)}\n`
        : `${fact.local} ${schedule.timeZone} (${fact.at}): ${decision.state.toUpperCase()}\n` +
            `  because: ${decision.reason}\n  rule:    ${decision.rule}\n  source:  ${decision.source}\n` +
            `  the hour costs ${decision.state === 'awake' ? '' : 'nothing in tasks; awake it would cost '}$${usd.toFixed(3)}\n`,
    )
    return Promise.resolve(exitCodes.sound)
  })
}

function instantIn(time: string, timeZone: string): number {
  const [, date, clock] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)$/.exec(time) ?? []
  if (date !== undefined && clock !== undefined) return instantOf(timeZone, date, clock)
  const utc = /(?:Z|[+-]\d\d:\d\d)$/.test(time) ? Date.parse(time) : Number.NaN
  if (Number.isNaN(utc))
    throw new Refusal(`\`${time}\` is no time: write 2027-03-29T10:00 (in ${timeZone}) or with Z`)
  return utc
}

/** `wharfinger lifecycle wake|sleep --until --reason`: bounded, logged, in force at once. */
export async function override(
  surroundings: Surroundings,
  state: 'awake' | 'asleep',
  options: CommonOptions & {
    readonly until: string
    readonly reason: string
    readonly who?: string | undefined
  },
): Promise<number> {
  return withDesk(surroundings, options, async (desk) => {
    const resourceId = resourceOf(desk)
    const answer = requestOverride(
      {
        resourceId,
        state,
        until: options.until,
        reason: options.reason,
        by: options.who ?? userInfo().username,
      },
      desk.schedule.timeZone,
      desk.nowUtc,
    )
    if (answer.kind === 'refused') throw new Refusal(answer.problem)
    await desk.state.createIfAbsent(answer.key, JSON.stringify(answer.logged))
    const schedule = await scheduleWithLogged(desk.state, desk.settings)
    const now: Desk = { ...desk, schedule }
    await withScaling(surroundings, now, (scaling) => reconcile(scaling, wantedOf(now), now.nowUtc))
    surroundings.out.write(
      options.json === true
        ? `${JSON.stringify(answer.logged, undefined, 2)}\n`
        : `${resourceId} is ${state} until ${answer.logged.override.to}; it is logged, and ends by itself.\n`,
    )
    return exitCodes.sound
  })
}

/** `wharfinger lifecycle reconcile`: say what differs from what should be, and put it right. */
export async function reconcileNow(
  surroundings: Surroundings,
  options: CommonOptions & { readonly dryRun?: true | undefined },
): Promise<number> {
  return withDesk(surroundings, options, async (desk) => {
    const drifts = await withScaling(surroundings, desk, (scaling) =>
      options.dryRun === true
        ? measureDrift(scaling, wantedOf(desk), desk.nowUtc)
        : reconcile(scaling, wantedOf(desk), desk.nowUtc),
    )
    if (options.json === true) surroundings.out.write(`${JSON.stringify(drifts, undefined, 2)}\n`)
    else if (drifts.length === 0) surroundings.out.write('Everything is as it should be.\n')
    else for (const { kind, sentence } of drifts) surroundings.out.write(`${kind}: ${sentence}\n`)
    return exitCodes.sound
  })
}

/** `wharfinger lifecycle lint`. */
export async function lint(surroundings: Surroundings, options: CommonOptions): Promise<number> {
  return withDesk(surroundings, options, ({ settings, holidays, nowUtc }) => {
    const lints = lintSettings(settings, holidays, nowUtc)
    if (options.json === true) surroundings.out.write(`${JSON.stringify(lints, undefined, 2)}\n`)
    else if (lints.length === 0)
      surroundings.out.write('Nothing stands in the way of applying it.\n')
    else for (const { reason, fix } of lints) surroundings.out.write(`${reason}\n    -> ${fix}\n`)
    return Promise.resolve(lints.length === 0 ? exitCodes.sound : exitCodes.usage)
  })
}

/** `wharfinger lifecycle cost`: a year of this schedule beside always-on and with its nights the other way. */
export async function cost(
  surroundings: Surroundings,
  options: CommonOptions & { readonly year?: string | undefined },
): Promise<number> {
  return withDesk(surroundings, options, ({ settings, schedule, holidays, nowUtc }) => {
    const year = Number(options.year ?? new Date(nowUtc).getUTCFullYear())
    if (!Number.isInteger(year) || year < 2019 || year > 2100)
      throw new Refusal(`--year takes a year, not ${options.year ?? ''}`)
    const range = { fromUtc: Date.UTC(year, 0, 1), toUtc: Date.UTC(year + 1, 0, 1) }
    const forecast = forecastCost(
      shippedPriceBook,
      settings.region,
      settings.task,
      settings.standing,
      comparedPlans(schedule, holidays, range),
      range,
    )
    surroundings.out.write(
      options.json === true
        ? `${JSON.stringify({ year, region: settings.region, ...forecast }, undefined, 2)}\n`
        : `${year} in ${settings.region}, ${settings.task.tasks} task(s) of ${settings.task.vcpu} vCPU and ${settings.task.memoryGb} GB (${settings.task.architecture})\n\n${renderCost(forecast)}`,
    )
    return Promise.resolve(exitCodes.sound)
  })
}

/** `wharfinger lifecycle calendar refresh <file or url>`: what a newer calendar changes; `--take` keeps it. */
export async function refreshCalendar(
  surroundings: Surroundings,
  from: string,
  options: CommonOptions & { readonly take?: true | undefined },
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  const reading = readPublishedCalendar(await jsonFrom(from, surroundings.folder))
  if (reading.kind === 'refused')
    throw new Refusal(`${from} is not gov.uk's calendar: ${reading.problems.join(' ')}`)
  return withStores(config, async ({ state }) => {
    const asOf = surroundings.now().toISOString().slice(0, 10)
    const current = await readSnapshot(state)
    const refreshed = refreshSnapshot(current, reading.calendar, { source: from, asOf })
    const { changes, removals, keptYears } = refreshed
    if (options.take === true) await state.write(CALENDAR_KEY, JSON.stringify(refreshed.snapshot))
    if (options.json === true)
      surroundings.out.write(`${JSON.stringify({ changes, removals, keptYears }, undefined, 2)}\n`)
    else {
      for (const { kind, division, date, title } of changes)
        surroundings.out.write(`${kind} ${date} ${division}: ${title}\n`)
      const ends =
        options.take === true
          ? 'Taken; `wharfinger lifecycle plan` shows what follows from it.'
          : 'Nothing is taken yet: the same command with --take does.'
      surroundings.out.write(changes.length === 0 ? 'No day differs.\n' : `${ends}\n`)
    }
    return exitCodes.sound
  })
}

const CALENDAR_KEY = 'lifecycle/calendar.json'

/** The calendar somebody took last, or the one that is shipped. */
async function readSnapshot(state: Store): Promise<CalendarSnapshot> {
  if ((await state.head(CALENDAR_KEY)) === undefined) return shippedSnapshot
  return JSON.parse(await readText(state, CALENDAR_KEY)) as CalendarSnapshot
}

async function jsonFrom(from: string, folder: string): Promise<unknown> {
  try {
    const text = /^https?:/.test(from)
      ? await (await fetch(from)).text()
      : readFileSync(resolve(folder, from), 'utf8')
    return JSON.parse(text)
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read'
    throw new Refusal(`${from} ${why}; gov.uk publishes https://www.gov.uk/bank-holidays.json`)
  }
}
