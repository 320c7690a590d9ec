import { createHash } from 'node:crypto'
import type { Store } from '../adapters/store.ts'
import type { DropZone } from '../config.ts'
import { attemptOf, type Taken } from './take.ts'
import type { Attempt } from '../model/transfer.ts'
import { mark, readState } from './create-once.ts'
import { readIntake } from './process.ts'
import { driftSince, type Drift } from './relist.ts'
import { dailyRelistKey, driftPrefix, markerKey } from './state-layout.ts'
import { undecidedTransfers } from './sweep.ts'

const DRIFTS_RECORDED = 1000

/** A transfer that changed in its drop zone after its report was delivered. */
export type Drifted = { readonly attempt: Attempt; readonly drift: readonly Drift[] }

/**
 * Once a day, list every delivered and undecided transfer of a zone again. What changed is
 * recorded beside the attempt and stops its acceptance; reports already delivered stay as they
 * are. The day is done when all of them have been looked at, so a kill costs a second look.
 */
export async function relistDaily(
  zone: DropZone,
  zoneStore: Store,
  state: Store,
  now: Date,
): Promise<Drifted[]> {
  const key = dailyRelistKey(zone.name, now.toISOString().slice(0, 10))
  if ((await state.head(key)) !== undefined) return []
  const drifted: Drifted[] = []
  for await (const transfer of undecidedTransfers(zone, state)) {
    const taken = await readState<Taken>(state, markerKey(transfer, 'taken.json'))
    const attempt = attemptOf(taken, transfer)
    const intake = await readIntake(state, attempt)
    if (intake === undefined) continue
    const drift: Drift[] = []
    for await (const one of driftSince(zoneStore, state, attempt, intake)) {
      if (drift.length < DRIFTS_RECORDED) drift.push(one)
    }
    if (drift.length === 0) continue
    const content = JSON.stringify(drift)
    await mark(
      state,
      `${driftPrefix(attempt)}${createHash('sha256').update(content).digest('hex')}.json`,
      drift,
    )
    drifted.push({ attempt, drift })
  }
  await mark(state, key, { at: now.toISOString(), drifted: drifted.length })
  return drifted
}
