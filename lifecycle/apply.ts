import { hasChanges, planActions, type PlannedAction } from './plan.ts'
import { ScalingError, type Scaling } from './scaling.ts'
import type { ScheduledActionSpec } from './schedule.ts'
import { parseWindows, withService, type ServiceWindows } from './windows.ts'

/** Where `lifecycle/windows.json` is kept. */
export type WindowsDocument = {
  /** undefined before the first apply. */
  read(): Promise<string | undefined>
  write(json: string): Promise<void>
}

export type Applied = {
  /** What had to be done; foreign actions and those that were right already included. */
  readonly plan: readonly PlannedAction[]
  readonly windowsWritten: boolean
}

/** Actions a target can have (AWS quota, not adjustable). */
const MOST_ACTIONS = 200
/** What was written may be read back late. */
const READ_BACKS = 3

/**
 * Make AWS have exactly the compiled actions. New ones are put and read back before old ones go,
 * so that at no moment, and after no crash, there is no wake to come. Doing it again finishes what
 * was cut off, and writes nothing where all is right. The bounds of this moment are not touched.
 */
export async function apply(
  scaling: Scaling,
  compiled: readonly ScheduledActionSpec[],
  windows: ServiceWindows,
  document: WindowsDocument,
  nowUtc: number,
): Promise<Applied> {
  if (!compiled.some(({ effect }) => effect === 'wake'))
    throw new ScalingError('refused', 'the schedule never wakes the service')
  if ((await scaling.target()) === undefined)
    throw new ScalingError(
      'missing',
      `there is no such service, or it is not registered for scaling (${scaling.resourceId}). Check \`service\` under \`lifecycle\`, the region and the account, and whether the stack is deployed`,
    )
  const planNow = async () => planActions(compiled, await scaling.actions(), nowUtc)
  const plan = await planNow()
  if (plan.length > MOST_ACTIONS)
    throw new ScalingError(
      'refused',
      `old and new scheduled actions together are ${plan.length}, and AWS keeps ${MOST_ACTIONS}. Remove foreign ones, or overrides`,
    )
  const puts = plan.flatMap((one) =>
    one.kind === 'create' || one.kind === 'update' ? [one.wanted] : [],
  )
  const wakesFirst = puts.toSorted((a, b) => b.minCapacity - a.minCapacity)
  for (const action of wakesFirst) await scaling.put(action)
  const isPut = (now: readonly PlannedAction[]) =>
    !now.some(({ kind }) => kind === 'create' || kind === 'update')
  if (puts.length > 0) await readBack(planNow, isPut)
  const windowsWritten = await writeWindows(windows, document)
  const stale = plan.filter(({ kind }) => kind === 'delete')
  for (const { name } of stale) await scaling.remove(name)
  if (stale.length > 0) await readBack(planNow, (now) => !hasChanges(now))
  return { plan, windowsWritten }
}

async function readBack(
  planNow: () => Promise<readonly PlannedAction[]>,
  isRight: (plan: readonly PlannedAction[]) => boolean,
): Promise<void> {
  for (let reads = 0; reads < READ_BACKS; reads++) if (isRight(await planNow())) return
  throw new ScalingError(
    'contended',
    'what was written is not what AWS has now: somebody else may be applying. Nothing that still wakes the service was removed; run it again',
  )
}

async function writeWindows(windows: ServiceWindows, document: WindowsDocument): Promise<boolean> {
  const before = await document.read()
  const after = JSON.stringify(
    withService(before === undefined ? undefined : parseWindows(before), windows),
  )
  if (after === before) return false
  await document.write(after)
  return true
}
