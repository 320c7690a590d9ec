import type { TaskTime } from './cost.ts'

/** What a file of task events comes to. */
export type TaskEvents = {
  readonly tasks: readonly TaskTime[]
  /** When the first of them began to be billed: what a saving is counted from. */
  readonly firstUtc: number
  /** Events of other services, and events that are not of tasks. */
  readonly passedOver: number
}

/** A file that tells nothing about tasks, with the line that shows it. */
export class TaskEventsError extends Error {
  override readonly name = 'TaskEventsError'
}

type Event = {
  readonly 'detail-type'?: unknown
  readonly detail?: Readonly<Record<string, unknown>>
}

/**
 * Read "ECS Task State Change" events, as EventBridge delivers them: JSON, one event a line, or an
 * array of them. Of the many events of one task each time counts as it was told first: billing
 * begins with the pull of the image. Throws TaskEventsError.
 */
export function readTaskEvents(text: string, service: string | undefined): TaskEvents {
  const tasks = new Map<string, { startedUtc?: number; stoppedUtc?: number }>()
  let passedOver = 0
  for (const { event, where } of eventsIn(text)) {
    const { detail } = event
    const arn = detail?.['taskArn']
    if (event['detail-type'] !== 'ECS Task State Change' || typeof arn !== 'string') {
      passedOver++
      continue
    }
    if (service !== undefined && detail?.['group'] !== `service:${service}`) {
      passedOver++
      continue
    }
    const task = tasks.get(arn) ?? {}
    const startedUtc = instant(detail, ['pullStartedAt', 'startedAt'], where)
    const stoppedUtc = instant(detail, ['stoppedAt'], where)
    tasks.set(arn, {
      ...task,
      ...(startedUtc === undefined
        ? {}
        : { startedUtc: Math.min(startedUtc, task.startedUtc ?? Infinity) }),
      ...(stoppedUtc === undefined
        ? {}
        : { stoppedUtc: Math.min(stoppedUtc, task.stoppedUtc ?? Infinity) }),
    })
  }
  // A task that never pulled its image was never billed.
  const billed = [...tasks.values()].flatMap(({ startedUtc, stoppedUtc }): TaskTime[] =>
    startedUtc === undefined ? [] : [{ startedUtc, stoppedUtc }],
  )
  if (billed.length === 0)
    throw new TaskEventsError(
      `there is no "ECS Task State Change" event of ${service === undefined ? 'a' : `the service ${service}, or of its`} task that ran; ${passedOver} other events were passed over`,
    )
  return {
    tasks: billed,
    firstUtc: Math.min(...billed.map(({ startedUtc }) => startedUtc)),
    passedOver,
  }
}

function* eventsIn(text: string): Generator<{ readonly event: Event; readonly where: string }> {
  const trimmed = text.replace(/^\ufeff/, '').trim()
  if (trimmed === '') throw new TaskEventsError('the file is empty')
  if (trimmed.startsWith('[')) {
    const all: unknown = parse(trimmed, 'the array')
    for (const [index, event] of (all as unknown[]).entries())
      yield { event: asEvent(event, `event ${index + 1}`), where: `event ${index + 1}` }
    return
  }
  for (const [index, line] of trimmed.split('\n').entries()) {
    if (line.trim() === '') continue
    const where = `line ${index + 1}`
    yield { event: asEvent(parse(line, where), where), where }
  }
}

function parse(json: string, where: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new TaskEventsError(
      `${where} is no JSON: one event a line is read, or an array of events`,
    )
  }
}

function asEvent(value: unknown, where: string): Event {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TaskEventsError(`${where} is no event`)
  return value
}

function instant(
  detail: Event['detail'],
  names: readonly string[],
  where: string,
): number | undefined {
  for (const name of names) {
    const value = detail?.[name]
    if (value === undefined || value === null) continue
    const utc = typeof value === 'string' ? Date.parse(value) : Number.NaN
    if (Number.isNaN(utc)) throw new TaskEventsError(`${where}: \`${name}\` is no time`)
    return utc
  }
  return undefined
}
