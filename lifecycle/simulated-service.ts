import type { Upload } from './arrivals.ts'
import { decideHolding, decideTaking, drainDefaults } from './drain.ts'
import { intervalAt, type Interval } from './intervals.ts'
import { detectDrift, healsOf, type DriftKind } from './reconcile.ts'
import type { WindowAt } from './runner-gate.ts'
import { faultInstants, isOn, type Fault } from './simulated-faults.ts'
import { SimulatedQueue } from './simulated-queue.ts'
import { observe, startTask, type SimulatedTask } from './simulated-task.ts'
import { boundsAt, type Bounds, type ServiceWindows } from './windows.ts'

const MINUTE_MS = 60_000
const TICK_MS = 5 * MINUTE_MS
const STOP_MS = 2 * MINUTE_MS
/** How long a message stays hidden after its task was last heard of. */
const LEASE_MS = 10 * MINUTE_MS
/** A backlog is seen by a running service's alarm, and by that of a queue that was idle for long. */
const ALARM_MS = 2 * MINUTE_MS
const IDLE_ALARM_MS = 15 * MINUTE_MS
const QUIET_MS = 15 * MINUTE_MS
const LIST_EVERY_MS = 1440 * MINUTE_MS
/** Work is recorded by the chunk: what is done over starts at the last whole one. */
const CHUNK_MINUTES = 10
/** A job may take twice what was expected and an hour, then it is taken for hung. */
const PATIENCE_MS = 60 * MINUTE_MS
/** What is left of a protection must still cover the handing back. */
const TOO_SHORT_MS = 5 * MINUTE_MS

/** What AWS was given, from when on: a calendar published late makes a second one. */
export type AppliedSchedule = {
  readonly fromUtc: number
  readonly windows: ServiceWindows
  /** What the scheduled actions do, in order. */
  readonly edges: readonly (Bounds & { readonly atUtc: number })[]
}

export type ServiceOptions = {
  readonly applied: readonly AppliedSchedule[]
  /** In order of time. */
  readonly uploads: readonly Upload[]
  readonly faults: readonly Fault[]
  readonly startUtc: number
  readonly startMinutes: number
  readonly retentionHours: number
  /** Off only to see that work is lost without it. */
  readonly listsDropZones: boolean
  /** Off only to see that effects are then there twice. */
  readonly createsOnce: boolean
}

/**
 * An ECS service with Application Auto Scaling, its queue and its workers, as levels that are
 * worked out anew at an instant. `nextUtc` says when anything can happen next; asking more often
 * changes nothing, which is what makes jumping from event to event right.
 */
export class SimulatedService {
  readonly queue: SimulatedQueue
  /** Replaced, never shortened in place, when a task stops. */
  tasks: readonly SimulatedTask[] = []
  readonly stopped: SimulatedTask[] = []
  readonly alarms = new Map<DriftKind, number>()
  handedBack = 0
  missedEdges = 0
  killed = 0
  #changed = false
  #bounds: Bounds
  #desired: number
  #edgesToUtc: number
  #uploadIndex = 0
  #faults: readonly Fault[]
  #backlogSinceUtc: number | undefined
  #quietSinceUtc: number | undefined
  #listedUtc: number
  #raised: ReadonlySet<DriftKind> = new Set()
  readonly #options: ServiceOptions
  readonly #instants: readonly number[]

  constructor(options: ServiceOptions) {
    this.#options = options
    this.queue = new SimulatedQueue(options.retentionHours * 60 * MINUTE_MS)
    this.#bounds = boundsAt(this.#appliedAt(options.startUtc).windows, options.startUtc)
    this.#desired = this.#bounds.minTasks
    this.#edgesToUtc = options.startUtc
    this.#listedUtc = options.startUtc
    this.#faults = options.faults
    this.#instants = [
      ...faultInstants(options.faults),
      ...options.applied.map(({ fromUtc }) => fromUtc),
    ].sort((a, b) => a - b)
  }

  /** Everything that is due now. Whole minutes only, and never back in time. */
  step(nowUtc: number): void {
    this.#changed = false
    this.#fireEdges(nowUtc)
    this.#arrive(nowUtc)
    this.#strike(nowUtc)
    if (nowUtc % TICK_MS === 0) this.#reconcile(nowUtc)
    const window = this.#windowAt(nowUtc)
    for (const task of this.tasks) this.#hold(task, window, nowUtc)
    this.#scale(nowUtc)
    for (const task of this.tasks) this.#take(task, window, nowUtc)
    this.#settle(nowUtc)
  }

  /** The earliest instant after `nowUtc` at which a step may change anything. */
  nextUtc(nowUtc: number): number {
    if (this.#changed) return nowUtc + MINUTE_MS
    let next = Infinity
    const at = (instantUtc: number | undefined) => {
      if (instantUtc !== undefined && instantUtc > nowUtc && instantUtc < next) next = instantUtc
    }
    const { edges, windows } = this.#appliedAt(nowUtc)
    at(firstAfter(edges, nowUtc)?.atUtc)
    at(this.#options.uploads[this.#uploadIndex]?.atUtc)
    at(this.#instants.find((instant) => instant > nowUtc))
    const open = intervalAt(windows.awake, nowUtc)
    at(open?.toUtc)
    if (open === undefined) at(windows.awake.find(({ fromUtc }) => fromUtc > nowUtc)?.fromUtc)
    if (this.#unsettled(nowUtc)) at((Math.floor(nowUtc / TICK_MS) + 1) * TICK_MS)
    if (this.#backlogSinceUtc !== undefined) at(this.#backlogSinceUtc + this.#alarmMs(nowUtc))
    if (this.#quietSinceUtc !== undefined) at(this.#quietSinceUtc + QUIET_MS)
    if (this.tasks.some(({ drain }) => drain === 'OPEN')) at(this.#listedUtc + LIST_EVERY_MS)
    for (const { visibleUtc, expiresUtc } of this.queue.messages) {
      at(visibleUtc)
      at(expiresUtc)
    }
    const { overtimeMinutes, finalProtectionMinutes } = drainDefaults
    for (const task of this.tasks) {
      at(task.runningUtc)
      at(task.killAtUtc)
      at(task.stalledUntilUtc)
      const { held, protectedUntilUtc, lastClosing } = task
      at(protectedUntilUtc)
      if (held === undefined) continue
      at(held.endsUtc)
      at(held.deadlineUtc)
      at(protectedUntilUtc - 15 * MINUTE_MS)
      // A renewal that is refused is given up here.
      at(protectedUntilUtc - TOO_SHORT_MS + MINUTE_MS)
      const closesUtc = lastClosing?.getTime()
      if (closesUtc === undefined) continue
      at(closesUtc - finalProtectionMinutes * MINUTE_MS)
      at(closesUtc + overtimeMinutes * MINUTE_MS)
    }
    return next
  }

  #appliedAt(nowUtc: number): AppliedSchedule {
    const found = this.#options.applied.findLast(({ fromUtc }) => fromUtc <= nowUtc)
    if (found === undefined) throw new Error('bug: a simulation that starts before its schedule')
    return found
  }

  #fireEdges(nowUtc: number): void {
    const { edges } = this.#appliedAt(nowUtc)
    for (;;) {
      const edge = firstAfter(edges, this.#edgesToUtc)
      if (edge === undefined || edge.atUtc > nowUtc) break
      this.#edgesToUtc = edge.atUtc
      const missed = this.#pending('missed edge', edge.atUtc)
      this.#changed = true
      if (missed === undefined) this.#register(edge)
      else this.missedEdges += 1
    }
    this.#edgesToUtc = nowUtc
  }

  #register({ minTasks, maxTasks }: Bounds): void {
    this.#bounds = { minTasks, maxTasks }
    this.#desired = Math.min(maxTasks, Math.max(minTasks, this.#desired))
    this.#changed = true
  }

  #arrive(nowUtc: number): void {
    const { uploads } = this.#options
    for (;;) {
      const upload = uploads[this.#uploadIndex]
      if (upload === undefined || upload.atUtc > nowUtc) break
      this.queue.arrive(upload, nowUtc)
      this.#uploadIndex += 1
      this.#changed = true
    }
    if (this.queue.expire(nowUtc) > 0) this.#changed = true
  }

  /** The first fault of a kind that waits for its occasion, taken out of what is to come. */
  #pending<Kind extends Fault['kind']>(kind: Kind, nowUtc: number) {
    const due = (fault: Fault): fault is Extract<Fault, { kind: Kind }> =>
      fault.kind === kind && 'atUtc' in fault && fault.atUtc <= nowUtc
    const found = this.#faults.find(due)
    if (found !== undefined) this.#faults = this.#faults.filter((fault) => fault !== found)
    return found
  }

  #strike(nowUtc: number): void {
    const running = this.tasks.filter(({ runningUtc }) => runningUtc <= nowUtc)
    const victim = () => running.find(({ held }) => held !== undefined) ?? running[0]
    const notice = this.#pending('Spot notice', nowUtc)
    if (notice !== undefined) this.#terminate(victim(), nowUtc)
    if (this.#pending('crash', nowUtc) !== undefined) this.#kill(victim(), nowUtc)
    const stall = this.#pending('stalled task', nowUtc)
    const stalls = victim()
    if (stall === undefined || stalls === undefined || stalls.stoppedUtc !== undefined) return
    stalls.stalledUntilUtc = nowUtc + stall.minutes * MINUTE_MS
    if (stalls.held !== undefined) {
      stalls.held.takenUtc += stall.minutes * MINUTE_MS
      stalls.held.endsUtc += stall.minutes * MINUTE_MS
      this.#abandon(stalls, nowUtc)
    }
    this.#changed = true
  }

  #reconcile(nowUtc: number): void {
    const drifts = detectDrift({
      nowUtc,
      plan: [],
      wanted: this.#appliedAt(nowUtc).windows,
      applied: undefined,
      target: { ...this.#bounds, suspended: false },
      service: { desiredTasks: this.#desired, runningTasks: this.#running(nowUtc) },
      pausedSinceUtc: undefined,
    })
    for (const heal of healsOf(drifts)) if (heal.kind === 'register') this.#register(heal.bounds)
    const raised = new Set(drifts.flatMap(({ kind, alarm }) => (alarm ? [kind] : [])))
    for (const kind of raised)
      if (!this.#raised.has(kind)) this.alarms.set(kind, (this.alarms.get(kind) ?? 0) + 1)
    this.#raised = raised
  }

  /** Whether the next tick could find anything. */
  #unsettled(nowUtc: number): boolean {
    const { minTasks, maxTasks } = boundsAt(this.#appliedAt(nowUtc).windows, nowUtc)
    const asWanted = this.#bounds.minTasks === minTasks && this.#bounds.maxTasks === maxTasks
    const inside = minTasks <= this.#desired && this.#desired <= maxTasks
    const running = this.#running(nowUtc)
    const quiet = minTasks > 0 ? running > 0 : maxTasks > 0 || running === 0
    return !asWanted || !inside || !quiet || this.#raised.size > 0
  }

  #running(nowUtc: number): number {
    return this.tasks.filter(({ runningUtc }) => runningUtc <= nowUtc).length
  }

  /** What a runner knows of the hours. Under soft closure it may work whenever the bounds let it run. */
  #windowAt(nowUtc: number): WindowAt {
    const { windows } = this.#appliedAt(nowUtc)
    const open: Interval | undefined =
      nowUtc >= windows.horizonUtc
        ? { fromUtc: windows.horizonUtc, toUtc: Infinity }
        : intervalAt(windows.awake, nowUtc)
    if (open === undefined || windows.closure === 'soft')
      return {
        windowOpen: windows.closure === 'soft' && this.#bounds.maxTasks > 0,
        closesAt: undefined,
      }
    const closes = open.toUtc < windows.horizonUtc
    return { windowOpen: true, closesAt: closes ? new Date(open.toUtc) : undefined }
  }

  #protect(task: SimulatedTask, minutes: number, nowUtc: number): boolean {
    // At desired 0 ECS answers DEPLOYMENT_BLOCKED.
    const refused = this.#desired === 0 || isOn(this.#faults, 'protection refused', nowUtc)
    if (refused) return false
    task.protectedUntilUtc = nowUtc + minutes * MINUTE_MS
    this.#changed = true
    return true
  }

  /** What a task does with the work in its hands: end it, protect it, or hand it back. */
  #hold(task: SimulatedTask, window: WindowAt, nowUtc: number): void {
    const { held } = task
    if (!isActive(task, nowUtc)) return
    if (observe(task, window, nowUtc)) this.#changed = true
    if (held === undefined) return
    // A task that stalled holds its message again, unless another has taken it.
    if (held.message.receipt === held.receipt) held.message.visibleUtc = Infinity
    if (held.endsUtc <= nowUtc) return this.#record(task, nowUtc)
    if (held.deadlineUtc <= nowUtc) return this.#handBack(task, nowUtc)
    const protectedUntil = new Date(task.protectedUntilUtc)
    const decision = decideHolding({
      now: new Date(nowUtc),
      windowOpen: window.windowOpen,
      closesAt: task.lastClosing,
      terminating: task.killAtUtc !== undefined,
      remainingSeconds: Number.isFinite(held.endsUtc) ? (held.endsUtc - nowUtc) / 1000 : undefined,
      stopSecondsLeft: ((task.killAtUtc ?? nowUtc) - nowUtc) / 1000 - 5,
      protection: { kind: 'protected', until: protectedUntil },
    })
    if (decision.kind === 'hand back') return this.#handBack(task, nowUtc)
    if (decision.kind !== 'protect' || this.#protect(task, decision.minutes, nowUtc)) return
    const short = task.protectedUntilUtc - nowUtc < TOO_SHORT_MS || decision.final
    if (short) this.#handBack(task, nowUtc)
  }

  #record(task: SimulatedTask, nowUtc: number): void {
    const { held } = task
    if (held === undefined) return
    const { consignment } = held.message
    if (consignment.recordedUtc === undefined || !this.#options.createsOnce) consignment.creations++
    consignment.recordedUtc ??= nowUtc
    this.#changed = true
    if (this.#pending('crash before acknowledging', nowUtc) !== undefined)
      return this.#kill(task, nowUtc)
    this.queue.acknowledge(held.message, held.receipt)
    release(task)
  }

  #handBack(task: SimulatedTask, nowUtc: number): void {
    const { held } = task
    if (held === undefined) return
    this.#keepChunks(task, nowUtc)
    if (held.message.receipt === held.receipt) held.message.visibleUtc = nowUtc
    this.handedBack += 1
    this.#changed = true
    release(task)
  }

  #keepChunks({ held }: SimulatedTask, nowUtc: number): void {
    if (held === undefined || !Number.isFinite(held.endsUtc)) return
    const { consignment } = held.message
    const workedMinutes = Math.min(nowUtc, held.endsUtc) - held.takenUtc
    const chunks = Math.floor(workedMinutes / MINUTE_MS / CHUNK_MINUTES)
    const left = (held.endsUtc - nowUtc) / MINUTE_MS
    const done = Math.min(chunks * CHUNK_MINUTES, consignment.upload.minutes - Math.ceil(left))
    consignment.doneMinutes = Math.max(consignment.doneMinutes, done)
  }

  /** Nothing more is heard of a task: its message comes back when the lease ends. */
  #abandon({ held }: SimulatedTask, nowUtc: number): void {
    if (held === undefined || held.message.receipt !== held.receipt) return
    held.message.visibleUtc = nowUtc + LEASE_MS
  }

  #terminate(task: SimulatedTask | undefined, nowUtc: number): void {
    if (task === undefined) return
    if (task.held === undefined && task.stalledUntilUtc <= nowUtc) return this.#stop(task, nowUtc)
    task.killAtUtc ??= nowUtc + STOP_MS
    this.#changed = true
  }

  #kill(task: SimulatedTask | undefined, nowUtc: number): void {
    if (task === undefined) return
    if (task.held !== undefined) {
      this.killed += 1
      // What a stalled task held has been coming back since it stalled.
      if (task.stalledUntilUtc <= nowUtc) this.#abandon(task, nowUtc)
      this.#keepChunks(task, nowUtc)
      task.held = undefined
    }
    this.#stop(task, nowUtc)
  }

  #stop(task: SimulatedTask, nowUtc: number): void {
    task.stoppedUtc = nowUtc
    this.stopped.push(task)
    this.tasks = this.tasks.filter((one) => one !== task)
    this.#changed = true
  }

  #take(task: SimulatedTask, window: WindowAt, nowUtc: number): void {
    if (!isActive(task, nowUtc) || !window.windowOpen) return
    if (task.held !== undefined || task.killAtUtc !== undefined) return
    const listing = !task.listed || nowUtc >= this.#listedUtc + LIST_EVERY_MS
    if (listing) {
      if (this.#options.listsDropZones) this.queue.list(nowUtc)
      this.#listedUtc = nowUtc
      task.listed = true
      observe(task, window, nowUtc)
      this.#changed = true
    }
    for (const message of this.queue.visible(nowUtc)) {
      const { consignment } = message
      const remaining = consignment.upload.minutes - consignment.doneMinutes
      const decision = decideTaking({
        now: new Date(nowUtc),
        drain: task.drain,
        closesAt: window.closesAt,
        expectedMinutes: remaining,
        terminating: false,
      })
      if (decision.kind === 'leave') continue
      if (!this.#protect(task, decision.protectMinutes, nowUtc)) return
      const hangs = this.#pending('hung job', nowUtc) !== undefined
      const lastsMs = remaining * MINUTE_MS
      message.receipt += 1
      message.visibleUtc = Infinity
      consignment.firstStartUtc ??= nowUtc
      task.held = {
        message,
        receipt: message.receipt,
        takenUtc: nowUtc,
        endsUtc: hangs ? Infinity : nowUtc + lastsMs,
        deadlineUtc: nowUtc + 2 * lastsMs + PATIENCE_MS,
      }
      return
    }
  }

  #alarmMs(nowUtc: number): number {
    return this.#running(nowUtc) === 0 ? IDLE_ALARM_MS : ALARM_MS
  }

  /** Step scaling by the backlog, within the bounds; back when it has been quiet for a while. */
  #scale(nowUtc: number): void {
    const { minTasks, maxTasks } = this.#bounds
    const waiting = this.queue.visible(nowUtc).length
    const busy = this.tasks.filter(({ held }) => held !== undefined).length
    const wanted = Math.min(maxTasks, Math.max(minTasks, busy + waiting))
    const short = waiting > 0 && this.#desired < wanted
    const idle = waiting === 0 && this.#desired > wanted
    this.#backlogSinceUtc = short ? (this.#backlogSinceUtc ?? nowUtc) : undefined
    this.#quietSinceUtc = idle ? (this.#quietSinceUtc ?? nowUtc) : undefined
    const out = short && nowUtc - (this.#backlogSinceUtc ?? nowUtc) >= this.#alarmMs(nowUtc)
    const back = idle && nowUtc - (this.#quietSinceUtc ?? nowUtc) >= QUIET_MS
    if (!out && !back) return
    this.#desired = wanted
    this.#changed = true
  }

  /** ECS makes the tasks as many as desired, and spares those that are protected. */
  #settle(nowUtc: number): void {
    for (const task of this.tasks) {
      if (task.killAtUtc === undefined) continue
      if (task.killAtUtc <= nowUtc) this.#kill(task, nowUtc)
      else if (task.held === undefined && task.stalledUntilUtc <= nowUtc) this.#stop(task, nowUtc)
    }
    const staying = this.tasks.filter(({ killAtUtc }) => killAtUtc === undefined)
    for (let count = staying.length; count < this.#desired; count++) {
      const failing = this.#options.faults.find(
        (fault) => fault.kind === 'no starts' && fault.fromUtc <= nowUtc && nowUtc < fault.toUtc,
      )
      const fromUtc = failing?.kind === 'no starts' ? failing.toUtc : nowUtc
      const runningUtc = fromUtc + this.#options.startMinutes * MINUTE_MS
      this.tasks = [...this.tasks, startTask(nowUtc, runningUtc)]
      this.#changed = true
    }
    if (isOn(this.#faults, 'stuck deployment', nowUtc)) return
    const surplus = staying
      .filter(({ protectedUntilUtc }) => protectedUntilUtc <= nowUtc)
      .sort((a, b) => Number(a.held !== undefined) - Number(b.held !== undefined))
      .slice(0, Math.max(0, staying.length - this.#desired))
    for (const task of surplus) this.#terminate(task, nowUtc)
  }
}

function isActive(task: SimulatedTask, nowUtc: number): boolean {
  const { runningUtc, stalledUntilUtc, stoppedUtc } = task
  return stoppedUtc === undefined && runningUtc <= nowUtc && stalledUntilUtc <= nowUtc
}

function release(task: SimulatedTask): void {
  task.held = undefined
  task.protectedUntilUtc = -Infinity
}

/** The first of what is in order that comes after an instant, by bisection. */
function firstAfter<Dated extends { readonly atUtc: number }>(
  all: readonly Dated[],
  instantUtc: number,
): Dated | undefined {
  let low = 0
  let high = all.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((all[middle]?.atUtc ?? Infinity) <= instantUtc) low = middle + 1
    else high = middle
  }
  return all[low]
}
