import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { decide } from '../../lifecycle/awake.ts'
import { weekSvg } from '../../lifecycle/calendar-svg.ts'
import { dayName, transitionsText, weekText, yearText } from '../../lifecycle/calendar-text.ts'
import { nextTransitions, weekView, yearView } from '../../lifecycle/calendar-view.ts'
import { readPublishedCalendar } from '../../lifecycle/bank-holidays.ts'
import { comparedPlans } from '../../lifecycle/compared-plans.ts'
import { forecastCost, hourUsd, renderCost, savedToDate } from '../../lifecycle/cost.ts'
import { refreshSnapshot } from '../../lifecycle/diff-calendars.ts'
import { instantOf, wallTime } from '../../lifecycle/local-time.ts'
import { shippedPriceBook } from '../../lifecycle/price-book.ts'
import { readTaskEvents, TaskEventsError, type TaskEvents } from '../../lifecycle/task-events.ts'
import { count } from '../model/count.ts'
import { Refusal } from '../run/decisions.ts'
import { TaskTimes } from '../work/task-times.ts'
import type { CommonOptions } from './command.ts'
import { exitCodes } from './exit-code.ts'
import { actionInForce } from './lifecycle-scaling.ts'
import { CALENDAR_KEY, readSnapshot, withDesk, type Desk } from './lifecycle-desk.ts'
import { loadConfig, withStores, type Surroundings } from './surroundings.ts'

/** `wharfinger lifecycle why <time>`: the rule that decides, its source, and what the hour costs. */
export async function why(
  surroundings: Surroundings,
  time: string,
  options: CommonOptions,
): Promise<number> {
  return withDesk(surroundings, options, (desk) => {
    const { schedule, holidays, settings } = desk
    const { timeZone } = schedule
    const atUtc = instantIn(time, timeZone)
    const decision = decide(schedule, holidays, atUtc)
    const wall = wallTime(timeZone, atUtc)
    const fired = actionInForce(desk, atUtc)
    const usd = hourUsd(shippedPriceBook, settings.region, settings.task)
    const fact = {
      at: new Date(atUtc).toISOString(),
      local: `${wall.date} ${wall.time}`,
      timeZone,
      ...decision,
      action:
        fired === undefined
          ? null
          : { name: fired.action.name, firedAt: new Date(fired.atUtc).toISOString() },
      hourUsd: usd,
    }
    surroundings.out.write(
      options.json === true
        ? `${JSON.stringify(fact, undefined, 2)}\n`
        : `${fact.local} ${timeZone} (${fact.at}): ${decision.state.toUpperCase()}\n` +
            `  because: ${decision.reason}\n  rule:    ${decision.rule}\n  source:  ${decision.source}\n` +
            `  action:  ${actionText(fired, timeZone)}\n` +
            `  the hour costs ${decision.state === 'awake' ? '' : 'nothing in tasks; awake it would cost '}$${usd.toFixed(3)}\n`,
    )
    return Promise.resolve(exitCodes.sound)
  })
}

function actionText(fired: ReturnType<typeof actionInForce>, timeZone: string): string {
  if (fired === undefined) return 'none: before the first one, or after the years that are compiled'
  const { date, time } = wallTime(timeZone, fired.atUtc)
  return `${fired.action.name}, ${fired.action.schedule}; last fires on ${dayName(date)} at ${time}`
}

function instantIn(time: string, timeZone: string): number {
  const [, date, clock] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)$/.exec(time) ?? []
  if (date !== undefined && clock !== undefined) return instantOf(timeZone, date, clock)
  const utc = /(?:Z|[+-]\d\d:\d\d)$/.test(time) ? Date.parse(time) : Number.NaN
  if (Number.isNaN(utc))
    throw new Refusal(`\`${time}\` is no time: write 2027-03-29T10:00 (in ${timeZone}) or with Z`)
  return utc
}

/**
 * `wharfinger lifecycle cost`: a year of this schedule beside always-on and with its nights the
 * other way; and what was saved to date, by the times that tasks wrote down or a file of events.
 */
export async function cost(
  surroundings: Surroundings,
  options: CommonOptions & {
    readonly year?: string | undefined
    readonly events?: string | undefined
  },
): Promise<number> {
  return withDesk(surroundings, options, async (desk) => {
    const { settings, schedule, holidays, nowUtc } = desk
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
    const measured = await measuredTasks(desk, options.events)
    const saved =
      measured === undefined
        ? undefined
        : {
            by: measured.by,
            since: new Date(measured.firstUtc).toISOString(),
            tasks: measured.tasks.length,
            ...savedToDate(shippedPriceBook, settings.region, settings.task, measured.tasks, {
              fromUtc: measured.firstUtc,
              toUtc: nowUtc,
            }),
          }
    surroundings.out.write(
      options.json === true
        ? `${JSON.stringify({ year, region: settings.region, ...forecast, ...(saved === undefined ? {} : { saved }) }, undefined, 2)}\n`
        : `${year} in ${settings.region}, ${count(settings.task.tasks, 'task', 'tasks')} of ${settings.task.vcpu} vCPU and ${settings.task.memoryGb} GB (${settings.task.architecture})\n\n${renderCost(forecast)}${
            saved === undefined
              ? ''
              : `\nSaved to date, against always on: $${saved.savedUsd.toFixed(2)}\n  since ${saved.since}: ${count(saved.tasks, 'task', 'tasks')}, ${saved.taskHours.toFixed(1)} task hours, $${saved.paidUsd.toFixed(2)} paid for them\n  measured by ${saved.by}\n`
          }`,
    )
    return exitCodes.sound
  })
}

/** When tasks ran: as ECS told it, or else as the tasks wrote it down themselves. */
async function measuredTasks(
  { settings, state, nowUtc }: Desk,
  file: string | undefined,
): Promise<(Pick<TaskEvents, 'tasks' | 'firstUtc'> & { readonly by: string }) | undefined> {
  if (file !== undefined) {
    try {
      const events = readTaskEvents(
        readFileSync(resolve(file), 'utf8'),
        settings.resourceId?.split('/').at(-1),
      )
      return { ...events, by: `the task events in ${file}` }
    } catch (error) {
      if (error instanceof TaskEventsError) throw new Refusal(`${file}: ${error.message}`)
      if (error instanceof Error && 'code' in error)
        throw new Refusal(`${file} cannot be read: ${error.message}`)
      throw error
    }
  }
  const tasks = await new TaskTimes(state).since(0, nowUtc)
  const [first] = tasks
  if (first === undefined) return undefined
  const firstUtc = tasks.reduce((least, { startedUtc }) => Math.min(least, startedUtc), Infinity)
  return { tasks, firstUtc, by: 'what the tasks wrote down in the state' }
}

/** `wharfinger lifecycle calendar`: a week or a year as a picture, and the next five changes. */
export async function showCalendar(
  surroundings: Surroundings,
  options: CommonOptions & {
    readonly week?: string | true | undefined
    readonly year?: string | true | undefined
    readonly svg?: true | undefined
  },
): Promise<number> {
  return withDesk(surroundings, options, ({ schedule, holidays, nowUtc }) => {
    const facts = { schedule, holidays, nowUtc }
    const today = wallTime(schedule.timeZone, nowUtc).date
    const next = nextTransitions(facts, 5)
    const wantsYear = options.year !== undefined
    const year =
      wantsYear && options.year !== true ? Number(options.year) : Number(today.slice(0, 4))
    if (!Number.isInteger(year) || year < 2019 || year > 2100)
      throw new Refusal(`--year takes a year, not ${String(options.year)}`)
    const date = typeof options.week === 'string' ? options.week : today
    if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date)))
      throw new Refusal(`--week takes a day like 2026-12-24, not ${date}`)
    const days = wantsYear ? yearView(facts, year) : weekView(facts, date)
    const title = wantsYear
      ? `${year}, ${schedule.timeZone}`
      : `Week of ${dayName(days[0]?.date ?? date)} ${date.slice(0, 4)}, ${schedule.timeZone}`
    if (options.svg === true) {
      if (wantsYear) throw new Refusal('--svg draws a week')
      surroundings.out.write(`${weekSvg(days, title)}\n`)
    } else if (options.json === true)
      surroundings.out.write(`${JSON.stringify({ days, next }, undefined, 2)}\n`)
    else
      surroundings.out.write(
        `${title}\n\n${wantsYear ? yearText(days) : weekText(days)}\nNext changes:\n${transitionsText(next, schedule.timeZone)}`,
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
