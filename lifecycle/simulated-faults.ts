/** What goes wrong in a simulation, and when. */
export type Fault =
  /** The first scheduled action due at this instant or later does not fire, and is never replayed. */
  | { readonly kind: 'missed edge'; readonly atUtc: number }
  /** While a deployment is under way, ECS stops no task. */
  | { readonly kind: 'stuck deployment'; readonly fromUtc: number; readonly toUtc: number }
  /** The agent answers 200 with a failure: not protected. */
  | { readonly kind: 'protection refused'; readonly fromUtc: number; readonly toUtc: number }
  /** Tasks start and do not come up: a broken image, or no capacity. */
  | { readonly kind: 'no starts'; readonly fromUtc: number; readonly toUtc: number }
  /** A task gets SIGTERM, and SIGKILL two minutes later. */
  | { readonly kind: 'Spot notice'; readonly atUtc: number }
  /** A task is gone without a word. */
  | { readonly kind: 'crash'; readonly atUtc: number }
  /** The first task that records a result from here on is gone before it says so to the queue. */
  | { readonly kind: 'crash before acknowledging'; readonly atUtc: number }
  /** The first work taken from here on never ends. */
  | { readonly kind: 'hung job'; readonly atUtc: number }
  /** A task does nothing for a while, and then goes on as if nothing had been. */
  | { readonly kind: 'stalled task'; readonly atUtc: number; readonly minutes: number }
  /** Until it is published nobody knows of the holiday on `date` (`yyyy-mm-dd`). */
  | { readonly kind: 'late holiday'; readonly date: string; readonly publishedUtc: number }

export type FaultKind = Fault['kind']

/** Every instant at which a fault begins or ends. */
export function faultInstants(faults: readonly Fault[]): number[] {
  return faults.flatMap((fault) =>
    'fromUtc' in fault
      ? [fault.fromUtc, fault.toUtc]
      : 'atUtc' in fault
        ? [fault.atUtc]
        : [fault.publishedUtc],
  )
}

/** Whether a fault that lasts is on. */
export function isOn(
  faults: readonly Fault[],
  kind: 'stuck deployment' | 'protection refused' | 'no starts',
  nowUtc: number,
): boolean {
  return faults.some(
    (fault) =>
      fault.kind === kind && 'fromUtc' in fault && fault.fromUtc <= nowUtc && nowUtc < fault.toUtc,
  )
}

/** What goes wrong in a year of any service: some thirty faults, of every kind that needs no date. */
export function yearOfFaults(
  random: () => number,
  range: { readonly fromUtc: number; readonly toUtc: number },
): readonly Fault[] {
  const minutes = (range.toUtc - range.fromUtc) / 60_000
  const instant = () => range.fromUtc + Math.floor(random() * minutes) * 60_000
  const stretch = () => {
    const fromUtc = instant()
    return {
      fromUtc,
      toUtc: Math.min(range.toUtc, fromUtc + Math.floor(random() * 20) * 3_600_000 + 60_000),
    }
  }
  const some = (count: number, make: () => Fault) => Array.from({ length: count }, make)
  return [
    ...some(8, () => ({ kind: 'missed edge', atUtc: instant() })),
    ...some(2, () => ({ kind: 'stuck deployment', ...stretch() })),
    ...some(3, () => ({ kind: 'protection refused', ...stretch() })),
    ...some(2, () => ({ kind: 'no starts', ...stretch() })),
    ...some(6, () => ({ kind: 'Spot notice', atUtc: instant() })),
    ...some(6, () => ({ kind: 'crash', atUtc: instant() })),
    ...some(2, () => ({ kind: 'crash before acknowledging', atUtc: instant() })),
    ...some(2, () => ({ kind: 'hung job', atUtc: instant() })),
    ...some(2, () => ({
      kind: 'stalled task',
      atUtc: instant(),
      minutes: 1 + Math.floor(random() * 90),
    })),
  ]
}
