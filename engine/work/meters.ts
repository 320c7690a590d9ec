import { Counter, Gauge, Registry } from 'prom-client'
import type { WorkEvent } from '../run/runner.ts'

/** Levels that are looked up once a minute. */
export type Levels = {
  /** Messages that wait in the queue. */
  readonly backlog: number
  /** Messages in hand, here and in other tasks. */
  readonly inHand: number
  /** Complete transfers that are not let in yet. */
  readonly transfersWaiting: number
  /** How long the one that has waited longest has waited; 0 where none waits. */
  readonly oldestSeconds: number
  readonly awake: boolean
}

const NAMESPACE = 'Wharfinger'

const counters = {
  ConsignmentsDelivered: 'Reports delivered',
  FilesChecked: 'Files of finished chunks',
  BytesChecked: 'Bytes of finished chunks',
  ChunksChecked: 'Chunks with a result',
  ChunksGivenUp: 'Chunks that no task survived',
  HandedBack: 'Messages handed back unfinished',
  Findings: 'Findings in delivered reports',
  Unchecked: 'Checks that could not be done, in delivered reports',
  Errors: 'Things that went wrong and are tried again',
} as const
type CounterName = keyof typeof counters

const gauges = {
  Backlog: 'Messages that wait in the queue',
  InHand: 'Messages in hand',
  TransfersWaiting: 'Complete transfers not let in yet',
  OldestSeconds: 'Age of the oldest transfer that waits',
  Awake: '1 while the schedule says awake',
} as const
type GaugeName = keyof typeof gauges

/**
 * What a task counts: the same numbers for Prometheus, which adds them up itself, and for
 * CloudWatch, which wants what happened since the last line. No label names a consignment.
 */
export class Meters {
  readonly registry = new Registry()
  readonly #counters = new Map<CounterName, Counter>()
  readonly #gauges = new Map<GaugeName, Gauge>()
  readonly #since = new Map<CounterName, number>()

  constructor() {
    const registers = [this.registry]
    for (const [name, help] of entries(counters))
      this.#counters.set(
        name,
        new Counter({ name: `${prometheusName(name)}_total`, help, registers }),
      )
    for (const [name, help] of entries(gauges))
      this.#gauges.set(name, new Gauge({ name: prometheusName(name), help, registers }))
  }

  observe(event: WorkEvent): void {
    if (event.kind === 'chunk checked') {
      this.#add('ChunksChecked', 1)
      this.#add('FilesChecked', event.files)
      this.#add('BytesChecked', event.bytes)
    } else if (event.kind === 'chunk given up') this.#add('ChunksGivenUp', 1)
    else if (event.kind === 'handed back') this.#add('HandedBack', 1)
    else if (event.kind === 'delivered') {
      const { findings, unchecked } = event.delivered.counts
      this.#add('ConsignmentsDelivered', 1)
      this.#add(
        'Findings',
        findings.reduce((sum, { count }) => sum + count, 0),
      )
      this.#add('Unchecked', unchecked)
    }
  }

  error(): void {
    this.#add('Errors', 1)
  }

  levels(levels: Levels): void {
    const values: Readonly<Record<GaugeName, number>> = {
      Backlog: levels.backlog,
      InHand: levels.inHand,
      TransfersWaiting: levels.transfersWaiting,
      OldestSeconds: levels.oldestSeconds,
      Awake: levels.awake ? 1 : 0,
    }
    for (const [name, value] of entries(values)) this.#gauges.get(name)?.set(value)
  }

  /** One line in CloudWatch's embedded metric format; counts start again at 0. */
  async embedded(now: Date): Promise<object> {
    const values: Record<string, number> = {}
    for (const [name] of entries(counters)) values[name] = this.#since.get(name) ?? 0
    this.#since.clear()
    for (const [name, gauge] of this.#gauges)
      values[name] = (await gauge.get()).values[0]?.value ?? 0
    return {
      _aws: {
        Timestamp: now.getTime(),
        CloudWatchMetrics: [
          {
            Namespace: NAMESPACE,
            Dimensions: [['Service']],
            Metrics: Object.keys(values).map((Name) => ({ Name, Unit: unitOf(Name) })),
          },
        ],
      },
      Service: 'work',
      ...values,
    }
  }

  #add(name: CounterName, by: number): void {
    this.#counters.get(name)?.inc(by)
    this.#since.set(name, (this.#since.get(name) ?? 0) + by)
  }
}

function prometheusName(name: string): string {
  return `wharfinger${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`
}

function entries<Name extends string, Value>(
  record: Readonly<Record<Name, Value>>,
): [Name, Value][] {
  return Object.entries(record) as [Name, Value][]
}

function unitOf(name: string): 'Bytes' | 'Seconds' | 'Count' {
  return name.startsWith('Bytes') ? 'Bytes' : name.endsWith('Seconds') ? 'Seconds' : 'Count'
}
