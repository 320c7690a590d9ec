import { apply, type WindowsDocument } from './apply.ts'
import { noPause, seenPause } from './pause.ts'
import { planActions } from './plan.ts'
import { detectDrift, healsOf, type Drift } from './reconcile.ts'
import { ScalingError, type Scaling } from './scaling.ts'
import type { ScheduledActionSpec } from './schedule.ts'
import { parseWindows, type ServiceWindows } from './windows.ts'

/** What should be, and what is known besides what AWS says. */
export type Wanted = {
  readonly compiled: readonly ScheduledActionSpec[]
  readonly windows: ServiceWindows
  readonly document: WindowsDocument
  /** What was seen of a person's pause, as JSON (pause.ts). */
  readonly pause: WindowsDocument
}

/** Measure one service and say how it differs from what should be; changes nothing. */
export async function measureDrift(
  scaling: Scaling,
  { compiled, windows, document, pause }: Wanted,
  nowUtc: number,
): Promise<readonly Drift[]> {
  const [actual, target, service, json, seen] = await Promise.all([
    scaling.actions(),
    scaling.target(),
    scaling.service(),
    document.read(),
    pause.read(),
  ])
  if (target === undefined || service === undefined)
    throw new ScalingError(
      'missing',
      `there is no such service, or it is not registered for scaling (${scaling.resourceId}). Check \`service\` under \`lifecycle\`, the region and the account, and whether the stack is deployed`,
    )
  const applied =
    json === undefined
      ? undefined
      : parseWindows(json).services.find(({ resourceId }) => resourceId === windows.resourceId)
  return detectDrift({
    nowUtc,
    plan: planActions(compiled, actual, nowUtc),
    wanted: windows,
    applied,
    target,
    service,
    pausedSinceUtc: seenPause(seen, target.suspended, nowUtc).pausedSinceUtc,
  })
}

/** Measure, put right what may be put right, and return what was found. */
export async function reconcile(
  scaling: Scaling,
  wanted: Wanted,
  nowUtc: number,
): Promise<readonly Drift[]> {
  const drifts = await measureDrift(scaling, wanted, nowUtc)
  const suspended = drifts.some(({ kind }) => kind === 'suspended')
  const { write } = seenPause(await wanted.pause.read(), suspended, nowUtc)
  if (write !== undefined) await wanted.pause.write(write)
  for (const heal of healsOf(drifts)) {
    if (heal.kind === 'apply')
      await apply(scaling, wanted.compiled, wanted.windows, wanted.document, nowUtc)
    if (heal.kind === 'register') {
      await scaling.register(heal.bounds, heal.resume)
      if (heal.resume) await wanted.pause.write(noPause)
    }
  }
  return drifts
}
