import { foldMarkers, type Progress } from '../flow/discover.ts'
import type { Decision, Status, Verdict } from '../model/outcome.ts'
import { transferPrefix, type TransferAddress } from '../model/transfer.ts'
import { chunksWithResult } from '../run/check.ts'
import { readState, readStateIfThere } from '../run/create-once.ts'
import { readDelivered, type Delivered } from '../run/deliver.ts'
import type { Plan } from '../run/plan.ts'
import { currentVersion, readIntake } from '../run/process.ts'
import { initiatedKey, markerKey, planKey, zoneMarkers } from '../run/state-layout.ts'
import { attemptOf, type Taken } from '../run/take.ts'
import { isCompleted, readRefused } from './complete.ts'
import type { ServiceContext } from './context.ts'
import type { Initiated } from './initiated.ts'
import { notFound } from './problem.ts'

export const stepNames = ['arrive', 'take', 'seal', 'check', 'report', 'decide'] as const

/** One step of a transfer's way. `files` and `bytes` where they are known. */
export type Step = {
  readonly step: (typeof stepNames)[number]
  readonly state: 'waiting' | 'in progress' | 'done'
  readonly files?: { readonly done: number; readonly of: number }
  readonly bytes?: { readonly done: number; readonly of: number }
}

export type TransferStatus = {
  readonly transferId: string
  readonly source: string
  /** The consignment's; known from the beginning for transfers begun through the service. */
  readonly reference?: string
  /** TDR's word: InProgress until there is a report. */
  readonly status: Status
  /** Whether there is a report. */
  readonly processed: boolean
  readonly initiatedAt?: string
  readonly attempt?: number
  readonly reportVersion?: number
  readonly verdict?: Verdict
  readonly sentence?: string
  readonly decision?: {
    readonly kind: Decision['kind'] | 'withdrawn'
    readonly when: string
    readonly why: string
  }
  /** Set where completing it was refused. */
  readonly refused?: readonly string[]
  readonly steps: readonly Step[]
}

const KNOWN = 1000 // transfers whose fixed facts are kept
const FRESH_MS = 500 // many readers of one transfer share one look at it

/** Reads how far transfers are, from what the engine leaves in the state. Never checks anything itself. */
export class TransferReader {
  readonly #context: ServiceContext
  readonly #fixed = new Map<string, unknown>()
  readonly #looks = new Map<
    string,
    { readonly at: number; readonly look: Promise<TransferStatus> }
  >()

  constructor(context: ServiceContext) {
    this.#context = context
  }

  /** At most half a second old. Throws Problem 404 for a transfer that nobody began. */
  status(transfer: TransferAddress): Promise<TransferStatus> {
    const name = `${transfer.zone}/${transferPrefix(transfer)}`
    const before = this.#looks.get(name)
    if (before !== undefined && performance.now() - before.at < FRESH_MS) return before.look
    const look = this.#look(transfer)
    keep(this.#looks, name, { at: performance.now(), look })
    look.catch(() => this.#looks.delete(name))
    return look
  }

  /** The newest report; undefined while there is none. */
  async delivered(transfer: TransferAddress): Promise<Delivered | undefined> {
    const { state, reports } = this.#context
    const taken = await this.#readFixed<Taken>(markerKey(transfer, 'taken.json'))
    if (taken === undefined) return undefined
    const attempt = attemptOf(taken, transfer)
    for (let version = await currentVersion(state, attempt); version >= 1; version--) {
      const delivered = await readDelivered(reports, attempt, version)
      if (delivered !== undefined) return delivered
    }
    return undefined
  }

  async #look(transfer: TransferAddress): Promise<TransferStatus> {
    const { state } = this.#context
    const [initiated, progress] = await Promise.all([
      this.#readFixed<Initiated>(initiatedKey(transfer)),
      this.#progress(transfer),
    ])
    const begun = {
      transferId: transfer.transferId,
      source: transfer.source,
      ...(initiated === undefined
        ? {}
        : { reference: initiated.reference, initiatedAt: initiated.initiatedAt }),
      status: 'InProgress' as const,
      processed: false,
    }
    if (progress === undefined || !progress.taken) {
      const completed = await isCompleted(this.#context, transfer)
      if (initiated === undefined && !completed) throw notFound(`transfer ${transfer.transferId}`)
      const refused = completed ? undefined : await readRefused(this.#context, transfer)
      return {
        ...begun,
        ...(refused === undefined ? {} : { refused: refused.errors.map(({ message }) => message) }),
        steps: stepsUpTo(completed ? 'take' : 'arrive'),
      }
    }
    const taken = await readState<Taken>(state, markerKey(transfer, 'taken.json'))
    const known = { ...begun, reference: taken.reference, attempt: taken.attempt }
    const delivered = progress.deliveredVersion > 0 ? await this.delivered(transfer) : undefined
    if (delivered === undefined) return { ...known, steps: await this.#checking(taken, transfer) }
    return {
      ...known,
      status: delivered.status,
      processed: true,
      reportVersion: delivered.reportVersion,
      verdict: delivered.verdict,
      sentence: delivered.sentence,
      ...(progress.decided ? await this.#decision(transfer) : {}),
      steps: stepsUpTo(progress.decided ? undefined : 'decide'),
    }
  }

  async #progress(transfer: TransferAddress): Promise<Progress | undefined> {
    const { state } = this.#context
    const zone = zoneMarkers(transfer.zone)
    const keys = async function* () {
      const prefix = zone + transferPrefix(transfer)
      for await (const { key } of state.list({ prefix })) yield key.slice(zone.length)
    }
    for await (const progress of foldMarkers(transfer.zone, keys())) return progress
    return undefined
  }

  async #decision(transfer: TransferAddress): Promise<Pick<TransferStatus, 'decision'>> {
    const decided = await this.#readFixed<NonNullable<TransferStatus['decision']>>(
      markerKey(transfer, 'decided.json'),
    )
    if (decided === undefined) return {}
    const { kind, when, why } = decided
    return { decision: { kind, when, why } }
  }

  /** Between being taken and having a report. */
  async #checking(taken: Taken, transfer: TransferAddress): Promise<readonly Step[]> {
    const { state } = this.#context
    const attempt = attemptOf(taken, transfer)
    const plan = await this.#readFixed<Plan>(planKey(attempt))
    if (plan === undefined) return stepsUpTo('seal')
    const intake = await readIntake(state, attempt)
    const done = await chunksWithResult(state, attempt, await currentVersion(state, attempt))
    const files = { done: 0, of: intake?.files ?? 0 }
    const bytes = { done: 0, of: intake?.bytes ?? 0 }
    for (const chunk of plan.chunks) {
      if (!done.has(chunk.index)) continue
      files.done += chunk.count
      bytes.done += chunk.bytes
    }
    const at = done.size < plan.chunks.length ? 'check' : 'report'
    return stepsUpTo(at).map((step) => (step.step === 'check' ? { ...step, files, bytes } : step))
  }

  /** What is written once and never changed is read once. */
  async #readFixed<T>(key: string): Promise<T | undefined> {
    const held = this.#fixed.get(key)
    if (held !== undefined) return held as T
    const value = await readStateIfThere<T>(this.#context.state, key)
    if (value !== undefined) keep(this.#fixed, key, value)
    return value
  }
}

/** Every step: done before `current`, waiting after it; all done where there is none. */
function stepsUpTo(current: Step['step'] | undefined): readonly Step[] {
  const at = current === undefined ? stepNames.length : stepNames.indexOf(current)
  return stepNames.map((step, i) => ({
    step,
    state: i < at ? 'done' : i === at ? 'in progress' : 'waiting',
  }))
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  const oldest = map.keys().next().value
  if (map.size >= KNOWN && oldest !== undefined) map.delete(oldest)
  map.delete(key)
  map.set(key, value)
}
