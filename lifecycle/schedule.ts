import type { Division } from './bank-holidays.ts'

export const weekdays = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const
export type Weekday = (typeof weekdays)[number]

/** Whether the service should be running. */
export type State = 'awake' | 'asleep'

/**
 * Hours that come back every week, in the schedule's zone. A window belongs to the day it opens
 * on; where `closes` is not later than `opens` it ends on the next day.
 */
export type WeeklyWindow = {
  readonly days: readonly Weekday[]
  /** `HH:MM`. */
  readonly opens: string
  /** `HH:MM`; `24:00` is the end of the same day. */
  readonly closes: string
}

/** A bounded exception that beats every other rule. Every override ends. */
export type Override = {
  /** `yyyy-mm-ddTHH:MM` in the schedule's zone, or an instant with `Z` or an offset. */
  readonly from: string
  readonly to: string
  readonly state: State
  readonly reason: string
  /** Who asked for it, as the audit log names them. */
  readonly by: string
  /** The override is void from here on, even if `to` is later. */
  readonly expires?: string
}

/**
 * When the service should be awake. At each instant the first of these decides: an override, a
 * holiday (the whole civil day in `timeZone`), the weekly windows, or else awake. No windows at
 * all, or a day that the holiday calendar does not cover, means awake: doubt costs money, never work.
 */
export type Schedule = {
  /** IANA name. */
  readonly timeZone: string
  readonly windows: readonly WeeklyWindow[]
  /** `awake` keeps the night between two open days; a closure still starts and ends at the windows' hours. */
  readonly nights: 'asleep' | 'awake'
  readonly closedOn: Division | 'no holidays'
  /** hard: nothing but an override opens it. soft: some minutes after closing a backlog may open it. */
  readonly closure: 'hard' | 'soft'
  readonly overrides: readonly Override[]
}

/** Closed at weekends and bank holidays, from 20:00 to 07:00; open in the nights of the working week. */
export const defaultSchedule: Schedule = {
  timeZone: 'Europe/London',
  windows: [{ days: ['MON', 'TUE', 'WED', 'THU', 'FRI'], opens: '07:00', closes: '20:00' }],
  nights: 'awake',
  closedOn: 'england-and-wales',
  closure: 'hard',
  overrides: [],
}

export type Rule = 'override' | 'holiday' | 'weekly' | 'default'

/** Why the service is, or should be, awake or asleep at an instant. */
export type Decision = {
  readonly state: State
  readonly rule: Rule
  /** Plain words, for example `Early May bank holiday`. */
  readonly reason: string
  /** Where the rule comes from, for example `gov.uk, snapshot of 2026-02-25`. */
  readonly source: string
}

/** An instant at which the state changes, and what decides from then on. */
export type Transition = Decision & { readonly atUtc: number }

/** What a scheduled action does to the bounds: open, close, or let a backlog open (soft closure). */
export type Effect = 'wake' | 'sleep' | 'soft'

/** One Application Auto Scaling scheduled action. */
export type ScheduledActionSpec = {
  /** `lc.<effect>.<years>[.<months>].<hash of everything below>`; 1-256 characters, no `:` `/` `|`. */
  readonly name: string
  /** `cron(...)` or `at(...)` in AWS's dialect. */
  readonly schedule: string
  /** IANA name in which `schedule` is read. */
  readonly timezone: string
  readonly minCapacity: number
  readonly maxCapacity: number
  readonly effect: Effect
}

/** Tasks while awake. Asleep is 0 and 0; soft closure is 0 and `maxTasks`. */
export type Capacity = {
  readonly minTasks: number
  readonly maxTasks: number
}
