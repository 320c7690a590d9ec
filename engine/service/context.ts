import type { Store } from '../adapters/store.ts'
import type { DropZone, EngineConfig } from '../config.ts'

/** Whether the workers work, and when they begin again. */
export type Awake = {
  readonly state: 'open' | 'draining' | 'asleep'
  /** While draining or asleep: when work starts again. While open: when it stops. */
  readonly until?: Date
}

/** What the service works with, opened once by the command that serves. */
export type ServiceContext = {
  readonly config: EngineConfig
  /** Where transfers land. */
  readonly zone: DropZone
  readonly zoneStore: Store
  /** The configuration's other drop zones, by name: consignments may have come through one. */
  readonly otherZones?: ReadonlyMap<string, Store>
  readonly state: Store
  readonly reports: Store
  readonly now: () => Date
  readonly awake: () => Awake
}

/** What answers say about the workers. */
export type WorkNote = {
  readonly state: Awake['state']
  /** ISO instant; only while no work is done. */
  readonly workStartsAt?: string
}

export function workNote(awake: Awake): WorkNote {
  if (awake.state === 'open' || awake.until === undefined) return { state: awake.state }
  return { state: awake.state, workStartsAt: awake.until.toISOString() }
}
