import type { FieldReader } from '../engine/config-fields.ts'
import {
  divisions,
  holidayCalendar,
  shippedSnapshot,
  type CalendarSnapshot,
  type Division,
} from './bank-holidays.ts'
import type { Holidays } from './awake.ts'
import type { Standing, TaskShape } from './cost.ts'
import { isTimeZone } from './local-time.ts'
import {
  defaultSchedule,
  weekdays,
  type Capacity,
  type Override,
  type Schedule,
  type Weekday,
  type WeeklyWindow,
} from './schedule.ts'

/** The `lifecycle:` section: when the workers should be awake, and of which service. */
export type LifecycleSettings = {
  readonly schedule: Schedule
  readonly capacity: Capacity
  /** `service/<cluster>/<service>`; undefined where nothing is deployed. */
  readonly resourceId?: string
  readonly region: string
  /** What a task is made of, for its price. */
  readonly task: TaskShape
  /** What the deployment pays for whether awake or asleep, by price-book item. */
  readonly standing: Standing
  /** From an opening until work has begun. */
  readonly wakeBudgetMinutes: number
  /** How long queues keep messages. */
  readonly retentionHours: number
}

const DEFAULTS = {
  region: 'eu-west-2',
  minTasks: 1,
  maxTasks: 4,
  wakeBudgetMinutes: 30,
  retentionHours: 14 * 24, // SQS's most; its default of 96 is shorter than Easter
} as const

const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/
const LOCAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?:Z|[+-]\d\d:\d\d)?$/

export function readLifecycle(reader: FieldReader): LifecycleSettings {
  const cluster = reader.text('cluster')
  const service = reader.text('service')
  if ((cluster === undefined) !== (service === undefined))
    reader.problem(
      `${reader.where(cluster === undefined ? 'service' : 'cluster')}\`cluster\` and \`service\` go together`,
    )
  const timeZone = reader.text('timeZone') ?? defaultSchedule.timeZone
  if (!isTimeZone(timeZone))
    reader.problem(
      `${reader.where('timeZone')}there is no time zone \`${timeZone}\`; write it like Europe/London`,
    )
  const windows = reader.list('windows').map((window) => readWindow(window))
  const overrides = reader.list('overrides').map((override) => readOverride(override))
  const schedule: Schedule = {
    timeZone: isTimeZone(timeZone) ? timeZone : defaultSchedule.timeZone,
    windows: windows.length === 0 ? defaultSchedule.windows : windows,
    nights: reader.oneOf('nights', ['asleep', 'awake'] as const) ?? defaultSchedule.nights,
    closedOn:
      reader.oneOf<Division | 'no holidays'>('closedOn', [...divisions, 'no holidays']) ??
      defaultSchedule.closedOn,
    closure: reader.oneOf('closure', ['hard', 'soft'] as const) ?? defaultSchedule.closure,
    overrides,
  }
  const minTasks = reader.whole('minTasks', 0) ?? DEFAULTS.minTasks
  const maxTasks = reader.whole('maxTasks', 1) ?? DEFAULTS.maxTasks
  if (minTasks > maxTasks)
    reader.problem(`${reader.where('minTasks')}\`minTasks\` is more than \`maxTasks\``)
  const task = reader.section('task')
  const shape: TaskShape = {
    tasks: minTasks,
    vcpu: task.whole('vcpu', 1) ?? 2,
    memoryGb: task.whole('memoryGb', 1) ?? 8,
    architecture: task.oneOf('architecture', ['x86', 'arm'] as const) ?? 'arm',
    scratchGb: task.whole('scratchGb', 20) ?? 20,
  }
  task.finish()
  const standing = reader.section('standing')
  const items = [
    'nat-gateway',
    'interface-endpoint',
    'load-balancer',
    'public-address',
    'key',
    'alarm',
    'object-storage',
    'log-storage',
    'malware-scan',
    'write-request',
    'read-request',
  ] as const
  const amounts = Object.fromEntries(
    items.flatMap((item) => {
      const amount = standing.whole(item, 0)
      return amount === undefined ? [] : [[item, amount]]
    }),
  )
  standing.finish()
  const settings: LifecycleSettings = {
    schedule,
    capacity: { minTasks, maxTasks },
    ...(cluster === undefined || service === undefined
      ? {}
      : { resourceId: `service/${cluster}/${service}` }),
    region: reader.text('region') ?? DEFAULTS.region,
    task: shape,
    standing: amounts,
    wakeBudgetMinutes: reader.whole('wakeBudgetMinutes', 1) ?? DEFAULTS.wakeBudgetMinutes,
    retentionHours: reader.whole('retentionHours', 1) ?? DEFAULTS.retentionHours,
  }
  reader.finish()
  return settings
}

/** The calendar that a schedule closes by; undefined where it closes on no holidays. */
export function holidaysOf(
  { closedOn }: Schedule,
  snapshot: CalendarSnapshot = shippedSnapshot,
): Holidays {
  return closedOn === 'no holidays' ? undefined : holidayCalendar(snapshot, closedOn)
}

function readWindow(window: FieldReader): WeeklyWindow {
  const days = window.texts('days') ?? []
  const known = days.filter((day): day is Weekday => weekdays.some((one) => one === day))
  if (days.length === 0 || known.length < days.length)
    window.problem(`${window.where('days')}\`days\` has to be a list of ${weekdays.join(', ')}`)
  const opens = window.pattern('opens', TIME, 'a time like 07:00') ?? '07:00'
  const closes =
    window.pattern(
      'closes',
      /^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/,
      'a time like 20:00, or 24:00',
    ) ?? '20:00'
  if (opens === closes)
    window.problem(
      `${window.where('closes')}a window from ${opens} to ${closes} is empty: write 00:00 to 24:00 for a whole day`,
    )
  window.finish()
  return { days: known, opens, closes }
}

function readOverride(override: FieldReader): Override {
  const instant = 'a time like 2026-12-24T12:00, or with Z or an offset'
  const from = override.pattern('from', LOCAL, instant)
  const to = override.pattern('to', LOCAL, instant)
  const state = override.oneOf('state', ['awake', 'asleep'] as const)
  const reason = override.text('reason')
  const by = override.text('by')
  const expires = override.pattern('expires', LOCAL, instant)
  for (const [name, value] of Object.entries({ from, to, state, reason, by }))
    if (value === undefined)
      override.problem(`${override.where(name)}an override needs \`${name}\``)
  if (from !== undefined && to !== undefined && from >= to)
    override.problem(`${override.where('to')}an override ends after it begins: ${from} to ${to}`)
  override.finish()
  return {
    from: from ?? '2000-01-01T00:00Z',
    to: to ?? '2000-01-01T00:00Z',
    state: state ?? 'awake',
    reason: reason ?? '',
    by: by ?? '',
    ...(expires === undefined ? {} : { expires }),
  }
}
