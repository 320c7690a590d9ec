import { isTimeZone } from '../../lifecycle/local-time.ts'
import type { FieldReader } from '../config-fields.ts'
import { CronError, readCron, type CronSlots } from './cron-slots.ts'

/** A named schedule: when to look into which drop zones. */
export type Schedule = {
  readonly name: string
  readonly slots: CronSlots
  /** Names of drop zones; undefined for all. */
  readonly zones?: readonly string[]
  /** What becomes of slots that nobody was there to ring: none, one for all, or every one. */
  readonly missed: 'skip' | 'once' | 'all'
  /** While the run before still goes on: leave the slot out, or run it afterwards. */
  readonly overlap: 'skip' | 'queue'
  /** Up to so many seconds late, at random, so that many services do not begin at once. */
  readonly jitterSeconds: number
}

/** Often enough that a sender hears soon, seldom enough that listings cost pennies. */
const EVERY_FIVE_MINUTES = '*/5 * * * *'
const DEFAULT_ZONE = 'Europe/London'

export function defaultSchedules(): readonly Schedule[] {
  return [
    {
      name: 'sweep',
      slots: readCron(EVERY_FIVE_MINUTES, DEFAULT_ZONE),
      missed: 'once',
      overlap: 'skip',
      jitterSeconds: 0,
    },
  ]
}

/** The `schedules:` list; without one, every drop zone is looked at every five minutes. */
export function readSchedules(
  readers: readonly FieldReader[],
  zoneNames: readonly string[],
): readonly Schedule[] {
  if (readers.length === 0) return defaultSchedules()
  const names = new Set<string>()
  return readers.flatMap((reader) => {
    const name =
      reader.pattern('name', /^[a-z0-9][a-z0-9-]{0,62}$/, 'small letters, digits and hyphens') ??
      'sweep'
    if (names.has(name))
      reader.problem(`${reader.where('name')}two schedules are called \`${name}\``)
    names.add(name)
    const zones = reader.texts('dropZones')
    for (const zone of zones ?? []) {
      if (!zoneNames.includes(zone))
        reader.problem(
          `${reader.where('dropZones')}schedule \`${name}\` names the drop zone \`${zone}\`, which is none of ${zoneNames.join(', ') || 'none configured'}`,
        )
    }
    const cron = reader.text('cron')
    const timeZone = reader.text('timeZone') ?? DEFAULT_ZONE
    const schedule = {
      name,
      ...(zones === undefined ? {} : { zones }),
      missed: reader.oneOf('missed', ['skip', 'once', 'all'] as const) ?? 'once',
      overlap: reader.oneOf('overlap', ['skip', 'queue'] as const) ?? 'skip',
      jitterSeconds: reader.whole('jitterSeconds', 0) ?? 0,
    }
    reader.finish()
    if (cron === undefined) {
      reader.problem(
        `schedule \`${name}\` needs a \`cron\`, for example "${EVERY_FIVE_MINUTES}" for every five minutes`,
      )
      return []
    }
    try {
      return [{ ...schedule, slots: readCron(cron, knownZone(timeZone)) }]
    } catch (error) {
      if (!(error instanceof CronError)) throw error
      reader.problem(`${reader.where('cron')}schedule \`${name}\`: ${error.message}`)
      return []
    }
  })
}

/** Throws CronError for a zone that does not exist. */
function knownZone(timeZone: string): string {
  if (isTimeZone(timeZone)) return timeZone
  throw new CronError(`there is no time zone \`${timeZone}\`; write it like Europe/London`)
}
