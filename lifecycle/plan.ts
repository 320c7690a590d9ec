import { instantOf } from './local-time.ts'
import type { ScheduledActionSpec } from './schedule.ts'
import type { ActionFacts } from './scaling.ts'

/** Names that begin so are ours; whatever else a target has is left alone and shown. */
export const OUR_PREFIX = 'lc.'

/** What becomes of one scheduled action, with the sentence people read. */
export type PlannedAction = { readonly name: string; readonly sentence: string } & (
  | { readonly kind: 'create' | 'update' | 'no change'; readonly wanted: ScheduledActionSpec }
  | { readonly kind: 'delete' | 'foreign' }
)

/** Compare what should be with what AWS has. Actions whose only moment has passed are not wanted. */
export function planActions(
  compiled: readonly ScheduledActionSpec[],
  actual: readonly ActionFacts[],
  nowUtc: number,
): readonly PlannedAction[] {
  const wanted = compiled.filter((action) => !hasPassed(action, nowUtc))
  const names = new Set(wanted.map(({ name }) => name))
  const existing = new Map(actual.map((action) => [action.name, action]))
  const kept = wanted.map((action): PlannedAction => {
    const { name } = action
    const there = existing.get(name)
    const does = effectSentence(action)
    if (there === undefined) return { kind: 'create', name, wanted: action, sentence: does }
    const faults = differences(action, there)
    if (faults.length === 0) return { kind: 'no change', name, wanted: action, sentence: does }
    return { kind: 'update', name, wanted: action, sentence: `${does}; now ${faults.join(', ')}` }
  })
  const rest = actual.flatMap((action): PlannedAction[] => {
    const { name } = action
    if (names.has(name)) return []
    if (!name.startsWith(OUR_PREFIX))
      return [{ kind: 'foreign', name, sentence: `${rule(action)}: not ours, left alone` }]
    const why = hasPassed(action, nowUtc)
      ? 'its moment has passed'
      : 'the schedule needs it no more'
    return [{ kind: 'delete', name, sentence: `${rule(action)}: ${why}` }]
  })
  return [...kept, ...rest]
}

export function hasChanges(plan: readonly PlannedAction[]): boolean {
  return plan.some(({ kind }) => kind === 'create' || kind === 'update' || kind === 'delete')
}

/** `at(...)` fires once. AWS may keep such an action, or not; either is as if it were not there. */
function hasPassed(action: Pick<ActionFacts, 'schedule' | 'timezone'>, nowUtc: number): boolean {
  const at = /^at\((\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\)$/.exec(action.schedule)
  return at !== null && instantOf(action.timezone, at[1] ?? '', at[2] ?? '') <= nowUtc
}

function effectSentence(action: ScheduledActionSpec): string {
  const does = {
    wake: `wakes: ${action.minCapacity} to ${action.maxCapacity} tasks`,
    sleep: 'puts to sleep: no tasks',
    soft: `lets a backlog open it: up to ${action.maxCapacity} tasks`,
  }[action.effect]
  return `${does}, ${rule(action)}`
}

function rule({ schedule, timezone }: Pick<ActionFacts, 'schedule' | 'timezone'>): string {
  return `${schedule} in ${timezone}`
}

function differences(wanted: ScheduledActionSpec, there: ActionFacts): string[] {
  const faults: string[] = []
  if (there.schedule !== wanted.schedule || there.timezone !== wanted.timezone)
    faults.push(`at ${rule(there)}`)
  if (there.minCapacity !== wanted.minCapacity || there.maxCapacity !== wanted.maxCapacity)
    faults.push(`${there.minCapacity ?? 'no'} to ${there.maxCapacity ?? 'no'} tasks`)
  if (there.limited) faults.push('with a start or end time')
  return faults
}
