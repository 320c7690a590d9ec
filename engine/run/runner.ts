import type { Delivery, Handled, Handler, Queue } from '../adapters/queue.ts'
import { stopping } from '../adapters/stopping-store.ts'
import type { Store } from '../adapters/store.ts'
import type { DropZone } from '../config.ts'
import { chunkCostSeconds } from '../flow/chunk.ts'
import type { TransferAddress } from '../model/transfer.ts'
import type { RunnerGate } from '../../lifecycle/runner-gate.ts'
import { Admission, type AdmissionLimits, type SweepSummary } from './admission.ts'
import { checkChunk, chunksWithResult, giveUpChunk, readTries } from './check.ts'
import { relistDaily } from './daily-relist.ts'
import type { Delivered } from './deliver.ts'
import { attemptKey, Dispatcher, type DispatchLimits } from './dispatch.ts'
import { InventoryReader } from './plan.ts'
import {
  checkOptions,
  concludeAttempt,
  openTransfer,
  type Engine,
  type OpenAttempt,
} from './process.ts'
import { underProtection } from './protected-work.ts'
import { markerKey, mergeTurns, resultKey, sealTurns } from './state-layout.ts'
import { correctsUnreported, dueTransfers } from './sweep.ts'
import { takeTurn, type TurnTiming } from './turn.ts'
import { readWorkMessage, type WorkMessage } from './work-message.ts'

export type WorkLimits = DispatchLimits & AdmissionLimits & { readonly turn: TurnTiming }

/** What happened, with references and counts only: no path, title or metadata value. */
export type WorkEvent =
  | {
      readonly kind: 'sealed'
      readonly reference: string
      readonly files: number
      readonly bytes: number
    }
  | {
      readonly kind: 'chunk checked'
      readonly reference: string
      readonly chunk: number
      readonly files: number
      readonly bytes: number
      readonly milliseconds: number
    }
  | { readonly kind: 'chunk put off'; readonly reference: string; readonly chunk: number }
  | {
      readonly kind: 'chunk given up'
      readonly reference: string
      readonly chunk: number
      readonly receives: number
    }
  | { readonly kind: 'handed back'; readonly what: WorkMessage['kind'] }
  | { readonly kind: 'given out again'; readonly reference: string; readonly chunks: number }
  | { readonly kind: 'delivered'; readonly delivered: Delivered }
  | { readonly kind: 'drift'; readonly reference: string; readonly objects: number }
  | { readonly kind: 'not taken'; readonly reason: string }
  | { readonly kind: 'message dropped'; readonly reason: string }

export type Zone = { readonly zone: DropZone; readonly store: Store }

export type RunnerOptions = {
  readonly engine: Engine
  readonly zones: ReadonlyMap<string, Zone>
  readonly queue: Queue
  readonly gate: RunnerGate
  readonly limits: WorkLimits
  readonly log: (event: WorkEvent) => void
  /** A consignment was delivered, so another may be let in. */
  readonly onRoom?: (zone: string) => void
}

/**
 * What one task does with the queue's messages. Any number of tasks do the same at once; the
 * state says what is left, and every result and report is written once, by whoever is first.
 */
export type Runner = {
  readonly handle: Handler
  /** What no task survived: its files are reported as unchecked, with the reason. */
  readonly handleDead: Handler
  /** Look at a drop zone: let in what is complete, and find what got lost. */
  sweep(zone: string): Promise<SweepSummary>
  /** Put one transfer in the queue, whatever waits. */
  ring(transfer: TransferAddress): Promise<void>
}

const OPENED_HELD = 8

export function createRunner(options: RunnerOptions): Runner {
  const { engine, zones, queue, gate, limits, log } = options
  const dispatcher = new Dispatcher(engine.state, queue, limits)
  const admission = new Admission(engine.state, queue, limits)
  const opened = new Map<string, { readonly one: OpenAttempt; readonly reader: InventoryReader }>()

  const protect = (
    what: WorkMessage['kind'],
    minutes: number,
    work: (within: Engine) => Promise<Handled>,
  ): Promise<Handled> =>
    underProtection(engine, gate, {
      minutes,
      work,
      onNotTaken: (reason) => log({ kind: 'not taken', reason }),
      onHandedBack: () => log({ kind: 'handed back', what }),
    })

  function remember(one: OpenAttempt) {
    const key = attemptKey(one)
    const oldest = opened.keys().next().value
    if (!opened.has(key) && opened.size >= OPENED_HELD && oldest !== undefined)
      opened.delete(oldest)
    const kept = { one, reader: new InventoryReader(engine.state, one.attempt, one.intake) }
    opened.set(key, kept)
    return kept
  }

  async function bringOn(within: Engine, { zone, store }: Zone, transfer: TransferAddress) {
    const sealed = (await engine.state.head(markerKey(transfer, 'sealed.json'))) !== undefined
    const turn = sealed ? undefined : await takeTurn(engine.state, sealTurns(transfer), limits.turn)
    if (!sealed && turn === undefined) return // another task is at it
    if (!sealed && (await correctsUnreported(store, engine.state, transfer))) {
      await turn?.release()
      return // a later sweep lets it in again
    }
    let one: Awaited<ReturnType<typeof openTransfer>>
    try {
      one = await openTransfer(within, zone, stopping(store, within.signal), transfer)
    } catch (error) {
      await turn?.release()
      throw error
    }
    turn?.end()
    if (one.kind === 'delivered') return
    const { attempt, intake } = one
    if (!sealed)
      log({
        kind: 'sealed',
        reference: attempt.reference,
        files: intake.files,
        bytes: intake.bytes,
      })
    remember(one)
    await goOn(within, store, one, true)
  }

  /** After whatever was done: the next chunks, or the report when there are none left. */
  async function goOn(within: Engine, store: Store, one: OpenAttempt, lookForLost: boolean) {
    const done = await chunksWithResult(engine.state, one.attempt, one.version)
    if (one.chunks.every(({ index }) => done.has(index))) {
      await conclude(within, store, one)
      return
    }
    if (lookForLost) {
      const again = await dispatcher.giveOutAgain(one, done)
      if (again > 0)
        log({ kind: 'given out again', reference: one.attempt.reference, chunks: again })
    }
    await dispatcher.giveOut(one, done)
  }

  async function conclude(within: Engine, store: Store, one: OpenAttempt) {
    const { attempt, version } = one
    const delivered = markerKey(attempt.transfer, `delivered-${version}.json`)
    if ((await engine.state.head(delivered)) !== undefined) return
    const turn = await takeTurn(engine.state, mergeTurns(attempt, version), limits.turn)
    if (turn === undefined) return
    try {
      log({
        kind: 'delivered',
        delivered: await concludeAttempt(within, stopping(store, within.signal), one),
      })
    } catch (error) {
      await turn.release()
      throw error
    }
    turn.end()
    opened.delete(attemptKey(one))
    dispatcher.forget(one)
    admission.forget(attempt.transfer)
    options.onRoom?.(attempt.transfer.zone)
  }

  async function openedFor(
    message: Extract<WorkMessage, { kind: 'chunk' }>,
    zone: Zone,
  ): Promise<{ readonly one: OpenAttempt; readonly reader: InventoryReader } | undefined> {
    const kept = opened.get(attemptKey(message))
    if (kept !== undefined) return kept
    const { transfer } = message.attempt
    if ((await engine.state.head(markerKey(transfer, 'sealed.json'))) === undefined)
      return undefined
    const one = await openTransfer(engine, zone.zone, zone.store, transfer)
    return one.kind === 'open' && one.version === message.version ? remember(one) : undefined
  }

  async function checkOne(
    message: Extract<WorkMessage, { kind: 'chunk' }>,
    zone: Zone,
    receives: number,
  ): Promise<Handled> {
    const found = await openedFor(message, zone)
    if (found === undefined) return 'done'
    const { one, reader } = found
    const { attempt, version } = one
    const chunk = one.chunks.find(({ index }) => index === message.chunk)
    if (chunk === undefined) return 'done'
    const again = message.again || receives > 1
    const key = resultKey(attempt, version, chunk.index)
    const minutes = Math.ceil(chunkCostSeconds(chunk.count, chunk.bytes) / 60)
    if (again && (await engine.state.head(key)) !== undefined) {
      return protect('chunk', 1, async (within) => {
        await goOn(within, zone.store, one, false)
        return 'done'
      })
    }
    return protect('chunk', minutes, async (within) => {
      const started = performance.now()
      const tries = again ? await readTries(engine.state, attempt, version, chunk.index) : undefined
      const written = await checkChunk(
        chunk,
        attempt,
        one.intake,
        reader,
        tries?.get(chunk.index) ?? [],
        {
          ...checkOptions(within, zone.zone, { version, resumed: again }, false),
          // The result of a finished check is written even when the task is told to stop.
          state: engine.state,
        },
      )
      if (within.signal.aborted && !written) return 'give back'
      if (!written) {
        log({ kind: 'chunk put off', reference: attempt.reference, chunk: chunk.index })
        return 'done'
      }
      log({
        kind: 'chunk checked',
        reference: attempt.reference,
        chunk: chunk.index,
        files: chunk.count,
        bytes: chunk.bytes,
        milliseconds: Math.round(performance.now() - started),
      })
      await goOn(within, zone.store, one, false)
      return 'done'
    })
  }

  function understood(
    delivery: Delivery,
  ): { readonly message: WorkMessage; readonly zone: Zone } | undefined {
    const message = readWorkMessage(delivery.body)
    if (message === undefined) {
      log({ kind: 'message dropped', reason: 'it is not one of ours' })
      return undefined
    }
    const transfer = message.kind === 'chunk' ? message.attempt.transfer : message.transfer
    const zone = zones.get(transfer.zone)
    if (zone === undefined) {
      log({ kind: 'message dropped', reason: `no drop zone is called ${transfer.zone}` })
      return undefined
    }
    return { message, zone }
  }

  return {
    async handle(delivery) {
      const found = understood(delivery)
      if (found === undefined) return 'done'
      const { message, zone } = found
      if (message.kind === 'chunk') return checkOne(message, zone, delivery.receives)
      return protect('transfer', 5, async (within) => {
        await bringOn(within, zone, message.transfer)
        return 'done'
      })
    },

    async handleDead(delivery) {
      const found = understood(delivery)
      if (found === undefined) return 'done'
      const { message, zone } = found
      if (message.kind === 'transfer') {
        // The sweep lets it in again; the dead-letter alarm has told an operator.
        log({ kind: 'message dropped', reason: 'a transfer could not be opened, again and again' })
        return 'done'
      }
      const kept = await openedFor(message, zone)
      const chunk = kept?.one.chunks.find(({ index }) => index === message.chunk)
      if (kept === undefined || chunk === undefined) return 'done'
      const { one, reader } = kept
      const { attempt, version } = one
      return protect('chunk', 1, async (within) => {
        const tries = await readTries(engine.state, attempt, version, chunk.index)
        await giveUpChunk(chunk, attempt, reader, tries.get(chunk.index) ?? [], {
          state: engine.state,
          version,
          now: engine.now,
          receives: delivery.receives,
        })
        log({
          kind: 'chunk given up',
          reference: attempt.reference,
          chunk: chunk.index,
          receives: delivery.receives,
        })
        await goOn(within, zone.store, one, false)
        return 'done'
      })
    },

    async sweep(name) {
      const found = zones.get(name)
      if (found === undefined) throw new Error(`bug: no drop zone is called ${name}`)
      const { zone, store } = found
      for (const { attempt, drift } of await relistDaily(zone, store, engine.state, engine.now()))
        log({ kind: 'drift', reference: attempt.reference, objects: drift.length })
      const sealed: TransferAddress[] = []
      const arrived: TransferAddress[] = []
      for await (const due of dueTransfers(zone, store, engine.state, engine.now()))
        (due.progress?.sealed === true ? sealed : arrived).push(due.transfer)
      for (const transfer of sealed) {
        if (engine.signal.aborted) break
        const handled = await protect('transfer', 5, async (within) => {
          await bringOn(within, found, transfer)
          return 'done'
        })
        // The first look comes before work may be taken: whoever takes the message goes on.
        if (handled === 'give back') await admission.ring(transfer)
      }
      return admission.admit(arrived, sealed, store, engine.signal)
    },

    ring: (transfer) => admission.ring(transfer),
  }
}
