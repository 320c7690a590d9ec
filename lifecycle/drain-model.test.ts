import { suite } from 'uvu'
import * as assert from 'node:assert/strict'
import { decideHolding, decideTaking, nextDrainState, type DrainState } from './drain.ts'

/**
 * Every interleaving of what can happen to two tasks and three jobs around a closing, with the
 * real decision functions in the middle. Nothing here decides anything: it only models ECS
 * (whom scale-in may stop), the queue (a claim returns when its holder is dead) and the clock.
 */
const phases = [
  { at: '2026-05-01T17:45:00Z', open: true },
  { at: '2026-05-01T18:35:00Z', open: true }, // draining; a protection of 17:45 is due for renewal
  { at: '2026-05-01T18:56:00Z', open: true }, // final protection
  { at: '2026-05-01T19:00:00Z', open: false },
  { at: '2026-05-01T19:30:00Z', open: false }, // overtime over
  { at: '2026-05-05T07:00:00Z', open: true },
] as const
const closing = new Date('2026-05-01T19:00:00Z')

type Worker = {
  readonly life: 'running' | 'terminating' | 'gone'
  /** Until when ECS protects it, and until when it believes so (epoch ms; 0 is not at all). */
  readonly ecsUntil: number
  readonly bookUntil: number
  readonly holds: number | undefined
  /** Scaled in or replaced by ECS while its own book said protected. */
  readonly surprised: boolean
}
type Job = {
  /** Who the queue thinks has it. */
  readonly message: 'visible' | 'deleted' | number
  readonly result: boolean
  readonly failed: boolean
  readonly killed: number
}
type State = {
  readonly phase: number
  readonly drain: DrainState
  readonly listed: boolean
  readonly desired: number
  readonly deploying: boolean
  readonly spot: boolean
  readonly workers: readonly Worker[]
  readonly jobs: readonly Job[]
}
type Step = { readonly event: string; readonly to: State }
type Protocol = {
  readonly taking: typeof decideTaking
  readonly holding: typeof decideHolding
  readonly protectFirst: boolean
  /** Whether a refusal is told from a grant; false is the published sample's mistake. */
  readonly readsRefusals: boolean
  readonly recordFirst: boolean
}

const real: Protocol = {
  taking: decideTaking,
  holding: decideHolding,
  protectFirst: true,
  readsRefusals: true,
  recordFirst: true,
}

const fresh: Worker = {
  life: 'running',
  ecsUntil: 0,
  bookUntil: 0,
  holds: undefined,
  surprised: false,
}
const empty = { holds: undefined, ecsUntil: 0, bookUntil: 0 } as const
// Three tries in the engine; two reach every kind of state and keep npm test short.
const maxKills = process.env['SOAK'] === undefined ? 2 : 3

function phaseOf(state: State) {
  const phase = phases[state.phase]
  if (phase === undefined) throw new Error('phase out of range')
  return { now: new Date(phase.at), open: phase.open }
}

function settle(state: State): State {
  const { now, open } = phaseOf(state)
  const live = state.workers.filter((worker) => worker.life !== 'gone')
  const { state: drain } = nextDrainState(state.drain, {
    now,
    windowOpen: open,
    closesAt: open && state.phase < 3 ? closing : undefined,
    runningTasks: live.length,
    heldJobs: live.filter((worker) => worker.holds !== undefined).length,
    listedSinceWake: state.listed,
  })
  const listed = drain === 'CLOSED' || drain === 'ASLEEP' ? false : state.listed
  return { ...state, drain, listed }
}

function withWorker(state: State, index: number, change: Partial<Worker>): State {
  return {
    ...state,
    workers: state.workers.map((worker, at) => (at === index ? { ...worker, ...change } : worker)),
  }
}
function withJob(state: State, index: number, change: Partial<Job>): State {
  return {
    ...state,
    jobs: state.jobs.map((job, at) => (at === index ? { ...job, ...change } : job)),
  }
}
/** The task vanishes: what it held is a try that ended, and the claim comes back by itself. */
function die(state: State, index: number, how: 'killed' | 'exit'): State {
  const worker = state.workers[index]
  if (worker === undefined) return state
  let next = withWorker(state, index, { ...fresh, life: 'gone' })
  if (worker.holds !== undefined) {
    const job = state.jobs[worker.holds]
    if (typeof job?.message !== 'number') return next
    if (!job.result && how === 'killed') {
      const killed = job.killed + 1
      next = withJob(next, worker.holds, {
        killed,
        ...(killed >= maxKills
          ? { failed: true, message: 'deleted' as const }
          : { message: 'visible' as const }),
      })
    } else next = withJob(next, worker.holds, { message: 'visible' })
  }
  return next
}

function steps(state: State, protocol: Protocol): Step[] {
  const { now, open } = phaseOf(state)
  const closesAt = state.phase < 5 ? closing : undefined
  const out: Step[] = []
  const push = (event: string, to: State) => out.push({ event, to: settle(to) })

  if (state.phase + 1 < phases.length) {
    const later = { ...state, phase: state.phase + 1 }
    const opens = phases[later.phase]?.open === true
    // Fargate kills whatever still runs unprotected; days pass before the window opens again.
    let next: State = { ...later, desired: opens ? (later.phase === 5 ? 2 : state.desired) : 0 }
    if (later.phase === 5) {
      state.workers.forEach((worker, index) => {
        if (worker.life !== 'gone') next = die(next, index, 'killed')
      })
      // Only reached with work in hand when overtime failed to end it: seen as a lost try.
    }
    push('time passes', next)
  }
  if (open && state.drain === 'WAKING' && state.workers.some((w) => w.life === 'running')) {
    push('drop zones listed', { ...state, listed: true })
  }
  if (!state.deploying && state.phase < 5) push('deployment', { ...state, deploying: true })

  const live = state.workers.filter((worker) => worker.life === 'running').length
  state.workers.forEach((worker, index) => {
    const name = `task ${index}: `
    if (worker.life === 'gone') {
      if (live < state.desired) push(`${name}starts`, withWorker(state, index, fresh))
      return
    }
    push(`${name}crash`, die(state, index, 'killed'))
    if (worker.life === 'terminating') {
      if (worker.holds === undefined) push(`${name}exits`, die(state, index, 'exit'))
    } else {
      const surplus = live > state.desired || state.deploying
      if (surplus && worker.ecsUntil <= now.getTime()) {
        const surprised = worker.holds !== undefined && worker.bookUntil > now.getTime()
        const why = state.deploying ? 'deployment' : 'scale-in'
        push(`${name}${why}: SIGTERM`, withWorker(state, index, { life: 'terminating', surprised }))
      }
      if (!state.spot) {
        push(`${name}Spot notice`, {
          ...withWorker(state, index, { life: 'terminating' }),
          spot: true,
        })
      }
    }

    if (worker.holds === undefined) {
      const taking = protocol.taking({
        now,
        drain: state.drain,
        closesAt,
        expectedMinutes: 20,
        terminating: worker.life === 'terminating',
      })
      if (taking.kind === 'take') {
        const until = now.getTime() + taking.protectMinutes * 60_000
        state.jobs.forEach((job, which) => {
          if (job.message !== 'visible') return
          if (job.result) {
            push(
              `${name}drops a message whose result exists`,
              withJob(state, which, { message: 'deleted' }),
            )
            return
          }
          const taken = withJob(
            withWorker(state, index, {
              holds: which,
              bookUntil: until,
              ecsUntil: protocol.protectFirst ? until : 0,
            }),
            which,
            { message: index },
          )
          push(`${name}protects and takes ${which}`, taken)
        })
        // Refused before taking: nothing is taken, so there is no step.
      }
      return
    }

    const which = worker.holds
    const job = state.jobs[which]
    if (job === undefined) throw new Error('holds a job that is not there')
    const holding = protocol.holding({
      now,
      windowOpen: open,
      closesAt,
      terminating: worker.life === 'terminating',
      remainingSeconds: undefined,
      stopSecondsLeft: 115,
      protection:
        worker.bookUntil > now.getTime()
          ? { kind: 'protected', until: new Date(worker.bookUntil) }
          : { kind: 'not protected', why: 'run out' },
    })
    if (holding.kind === 'protect') {
      const until = now.getTime() + holding.minutes * 60_000
      if (until !== worker.bookUntil) {
        push(
          `${name}renewal granted`,
          withWorker(state, index, { ecsUntil: until, bookUntil: until }),
        )
        const book = protocol.readsRefusals ? worker.bookUntil : until
        push(`${name}renewal refused`, withWorker(state, index, { bookUntil: book }))
      }
    }
    // A task may also hand back what it need not, for example after a refused final protection.
    if (holding.kind === 'hand back' || holding.kind === 'protect') {
      push(
        `${name}hands ${which} back`,
        withJob(withWorker(state, index, empty), which, {
          message: job.result ? 'deleted' : 'visible',
        }),
      )
    }
    if (protocol.recordFirst) {
      if (!job.result) {
        push(`${name}records ${which}`, withJob(state, which, { result: true }))
      } else {
        push(
          `${name}deletes the message and releases`,
          withJob(withWorker(state, index, empty), which, { message: 'deleted' }),
        )
      }
    } else if (job.message !== 'deleted') {
      push(`${name}deletes the message first`, withJob(state, which, { message: 'deleted' }))
    } else {
      push(
        `${name}records ${which} late`,
        withJob(withWorker(state, index, empty), which, { result: true }),
      )
    }
  })
  return out
}

/** What is wrong with a state, or undefined. */
function violation(state: State): string | undefined {
  for (const [which, job] of state.jobs.entries()) {
    const holders = state.workers.filter((w) => w.life !== 'gone' && w.holds === which)
    const places = [
      !job.result && !job.failed && job.message === 'visible' && 'queued',
      !job.result && !job.failed && holders.length > 0 && 'held',
      job.result && 'done',
      job.failed && 'failed',
    ].filter((place) => place !== false)
    if (places.length !== 1) return `job ${which} is in ${places.join(' and ') || 'no place'}`
    if (holders.length > 1) return `job ${which} is held twice`
  }
  for (const [index, worker] of state.workers.entries()) {
    if (worker.surprised) {
      return `task ${index} was scaled in while it believed itself protected`
    }
  }
  if (state.drain === 'ASLEEP') {
    if (state.workers.some((worker) => worker.holds !== undefined)) return 'held at ASLEEP'
    if (state.jobs.some((job) => typeof job.message === 'number')) return 'claimed at ASLEEP'
  }
  return undefined
}

function explore(protocol: Protocol) {
  const job: Job = { message: 'visible', result: false, failed: false, killed: 0 }
  const start = settle({
    phase: 0,
    drain: 'OPEN',
    listed: true,
    desired: 2,
    deploying: false,
    spot: false,
    workers: [fresh, fresh],
    jobs: [job, job, job],
  })
  // Tasks are alike and jobs are alike, so one order of each stands for all of them.
  const key = (state: State): string => {
    const jobOrder = state.jobs
      .map((one, index) => {
        const holder = state.workers.findIndex((w) => w.holds === index)
        const by = holder < 0 ? '' : workerKey(state.workers[holder])
        return {
          text: `${typeof one.message === 'number' ? 'c' : one.message}${one.result}${one.failed}${one.killed}${by}`,
        }
      })
      .map((entry) => entry.text)
      .toSorted()
    const workerOrder = state.workers
      .map((w) => workerKey(w) + (w.holds === undefined ? '' : jobKey(state.jobs[w.holds])))
      .toSorted()
    return [
      state.phase,
      state.drain,
      state.listed,
      state.desired,
      state.deploying,
      state.spot,
      jobOrder,
      workerOrder,
    ].join('|')
  }
  const seen = new Map<
    string,
    { readonly state: State; readonly from: string | undefined; readonly event: string }
  >()
  const next = new Map<string, string[]>()
  const queue = [start]
  seen.set(key(start), { state: start, from: undefined, event: 'start' })
  const events = new Set<string>()
  let edges = 0
  for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
    const here = key(state)
    const bad = violation(state)
    if (bad !== undefined)
      return { bad, trail: trail(seen, here), states: seen.size, edges, events, next, seen }
    const targets: string[] = []
    for (const step of steps(state, protocol)) {
      edges += 1
      events.add(step.event.replace(/^task \d: /u, '').replace(/ \d/u, ''))
      const there = key(step.to)
      targets.push(there)
      if (seen.has(there)) continue
      seen.set(there, { state: step.to, from: here, event: step.event })
      queue.push(step.to)
    }
    next.set(here, targets)
  }
  return { bad: undefined, trail: [], states: seen.size, edges, events, next, seen }
}

function workerKey(worker: Worker | undefined): string {
  if (worker === undefined) return ''
  return `${worker.life}${worker.ecsUntil},${worker.bookUntil},${worker.surprised}${worker.holds === undefined ? 'idle' : 'busy'}`
}
function jobKey(job: Job | undefined): string {
  return job === undefined
    ? ''
    : `${typeof job.message === 'number' ? 'c' : job.message}${job.result}${job.failed}${job.killed}`
}

function trail(
  seen: ReadonlyMap<string, { readonly from: string | undefined; readonly event: string }>,
  last: string,
): string[] {
  const events: string[] = []
  for (let at: string | undefined = last; at !== undefined; at = seen.get(at)?.from) {
    events.unshift(seen.get(at)?.event ?? '?')
  }
  return events
}

const model = suite('drain model')
const found = explore(real)

model('in every interleaving each job is queued, held by a live task, done or failed', () => {
  assert.equal(found.bad, undefined, found.trail.join('\n'))
  console.log(`drain model: ${found.states} states, ${found.edges} transitions, none bad`)
  for (const event of [
    'scale-in: SIGTERM',
    'deployment: SIGTERM',
    'protects and takes',
    'records',
    'renewal refused',
    'Spot notice',
    'crash',
    'hands back',
  ]) {
    assert.ok(found.events.has(event), `never happened: ${event}`)
  }
  assert.ok([...found.seen.values()].some(({ state }) => state.drain === 'ASLEEP'))
})

model('from every state all jobs can still be done or failed', () => {
  const { next, seen } = found
  const back = new Map<string, string[]>()
  for (const [from, targets] of next) {
    for (const to of targets) {
      const list = back.get(to)
      if (list === undefined) back.set(to, [from])
      else list.push(from)
    }
  }
  const reach = [...seen]
    .filter(([, { state }]) => state.jobs.every((j) => j.result || j.failed))
    .map(([at]) => at)
  const good = new Set(reach)
  for (let at = reach.pop(); at !== undefined; at = reach.pop()) {
    for (const from of back.get(at) ?? []) {
      if (good.has(from)) continue
      good.add(from)
      reach.push(from)
    }
  }
  assert.equal(good.size, seen.size)
})

model('taking work before protection is asked for is caught', () => {
  const found = explore({ ...real, protectFirst: false })
  assert.match(found.bad ?? '', /believed itself protected/u)
})

model('taking 200 with a failure for protection is caught', () => {
  const found = explore({ ...real, readsRefusals: false })
  assert.match(found.bad ?? '', /believed itself protected/u)
})

model('deleting the message before the result is recorded is caught as a lost job', () => {
  const found = explore({ ...real, recordFirst: false })
  assert.match(found.bad ?? '', /no place/u)
})

model.run()
