import { Refusal } from '../run/decisions.ts'
import {
  nextSlots,
  readingOf,
  readScheduleBook,
  slotWords,
  type ScheduleView,
} from '../schedule/schedule-book.ts'
import type { Schedule } from '../schedule/schedule-config.ts'
import { readPause, recordPause } from '../schedule/slot-ledger.ts'
import { asleepWords } from '../schedule/asleep-slots.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { sweep } from './run.ts'
import { schedulesAsleep } from './schedules-asleep.ts'
import { loadConfig, withStores, type Surroundings } from './surroundings.ts'
import { renderTable } from './table.ts'

/** `wharfinger schedule list`. */
export async function listSchedules(
  surroundings: Surroundings,
  options: CommonOptions,
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  const now = surroundings.now()
  const { book, asleep } = await withStores(config, async ({ state }) => ({
    book: await readScheduleBook(state, config.schedules, now),
    asleep: await schedulesAsleep(config, state, now),
  }))
  surroundings.out.write(
    options.json === true
      ? `${JSON.stringify(book, undefined, 2)}\n`
      : renderTable([
          ['SCHEDULE', 'WHEN', 'LAST', 'NEXT'],
          ...book.map((view) => [view.name, view.reading, lastWords(view), nextWords(view)]),
        ]),
  )
  for (const one of asleep) surroundings.err.write(`${asleepWords(one)}.\n`)
  return exitCodes.sound
}

function lastWords({ last, timeZone }: ScheduleView): string {
  if (last === undefined) return 'never'
  const end = last.end
  const how =
    end === undefined
      ? 'in progress'
      : end.why === undefined
        ? end.outcome
        : `${end.outcome}: ${end.why}`
  return `${slotWords(last.slotUtc, timeZone)}, ${how}`
}

function nextWords({ nextUtc, pause, timeZone }: ScheduleView): string {
  if (pause?.paused === true)
    return `paused by ${pause.who} on ${pause.at.slice(0, 10)}: ${pause.why}`
  return nextUtc === undefined ? 'never' : slotWords(nextUtc, timeZone)
}

/** `wharfinger schedule next [name]`. */
export async function nextRuns(
  surroundings: Surroundings,
  name: string | undefined,
  options: CommonOptions & { readonly count: string },
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  const wanted = Number(options.count)
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > 1000)
    throw new Refusal(`--count takes a whole number from 1 to 1000, not ${options.count}`)
  const chosen = name === undefined ? config.schedules : [scheduleNamed(config.schedules, name)]
  const runs = chosen.map((schedule) => ({
    name: schedule.name,
    reading: readingOf(schedule.slots.cron),
    timeZone: schedule.slots.timeZone,
    next: nextSlots(schedule, surroundings.now(), wanted),
  }))
  surroundings.out.write(
    options.json === true
      ? `${JSON.stringify(
          runs.map((run) => ({ ...run, next: run.next.map((utc) => new Date(utc).toISOString()) })),
          undefined,
          2,
        )}\n`
      : runs
          .map(
            (run) =>
              `${run.name}: ${run.reading}\n${run.next.map((utc) => `  ${slotWords(utc, run.timeZone)}\n`).join('')}`,
          )
          .join(''),
  )
  return exitCodes.sound
}

/** `wharfinger schedule pause|resume <name>`. */
export async function pauseSchedule(
  surroundings: Surroundings,
  paused: boolean,
  name: string,
  options: CommonOptions & { readonly who: string; readonly why: string },
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  scheduleNamed(config.schedules, name)
  return withStores(config, async ({ state }) => {
    const before = await readPause(state, name)
    if ((before?.paused ?? false) === paused)
      throw new Refusal(
        paused
          ? `\`${name}\` is paused already, by ${before?.who ?? ''}: ${before?.why ?? ''}`
          : `\`${name}\` is not paused`,
      )
    await recordPause(state, name, {
      paused,
      who: options.who,
      why: options.why,
      at: surroundings.now().toISOString(),
    })
    surroundings.out.write(
      paused
        ? `\`${name}\` rings no more until \`wharfinger schedule resume ${name}\`.\n`
        : `\`${name}\` rings again.\n`,
    )
    return exitCodes.sound
  })
}

/** `wharfinger schedule run <name>`: what the schedule rings for, now, in this process. */
export async function runSchedule(
  surroundings: Surroundings,
  name: string,
  options: CommonOptions,
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  const { zones } = scheduleNamed(config.schedules, name)
  return sweep(surroundings, {
    ...options,
    ...(zones === undefined ? {} : { zone: [...zones] }),
  })
}

function scheduleNamed(schedules: readonly Schedule[], name: string): Schedule {
  const found = schedules.find((schedule) => schedule.name === name)
  if (found === undefined)
    throw new Refusal(
      `no schedule is called \`${name}\`; known are ${schedules.map((one) => `\`${one.name}\``).join(', ')}`,
    )
  return found
}
