import type { Store } from '../adapters/store.ts'
import { foldMarkers, type Progress } from '../flow/discover.ts'
import type { Status, TransferFacts, Verdict } from '../model/outcome.ts'
import { transferPrefix, type TransferAddress } from '../model/transfer.ts'
import { readState } from '../run/create-once.ts'
import type { Delivered } from '../run/deliver.ts'
import { readNewSummaries } from '../run/index-segments.ts'
import { markerKey, zoneMarkers } from '../run/state-layout.ts'
import type { Taken } from '../run/take.ts'

export type DecisionKind = 'accepted' | 'returned' | 'withdrawn'

/** How far a consignment's newest attempt is. */
export type ConsignmentState = 'in progress' | 'to be decided' | 'decided'

/** One consignment as lists show it: its newest attempt and report. */
export type ConsignmentRow = {
  readonly reference: string
  readonly attempt: number
  /** 0 while there is no report. */
  readonly reportVersion: number
  readonly state: ConsignmentState
  readonly decision?: DecisionKind
  readonly status: Status
  readonly verdict?: Verdict
  readonly sentence?: string
  readonly transfer: TransferFacts
  readonly files?: number
  readonly bytes?: number
  readonly findings?: number
  readonly unchecked?: number
  /** ISO instant: when the report was delivered, or the transfer taken. */
  readonly since: string
}

export type ConsignmentFilter = {
  readonly state?: ConsignmentState
  readonly decision?: DecisionKind
  readonly status?: Status
  readonly verdict?: Verdict
  readonly transferringBody?: string
  readonly series?: string
  readonly integrator?: string
  readonly source?: string
  /** Beginning of the reference. */
  readonly reference?: string
  /** YYYY-MM-DD, both inclusive, of `since` in UTC. */
  readonly from?: string
  readonly to?: string
}

export type ConsignmentPage = {
  readonly rows: readonly ConsignmentRow[]
  readonly total: number
  /** Give it back to get the next page; undefined on the last. */
  readonly cursor?: string
}

export type ConsignmentCounts = {
  readonly inProgress: number
  readonly toBeDecided: number
  readonly decided: number
  readonly verdicts: Readonly<Partial<Record<Verdict, number>>>
  readonly files: number
  readonly bytes: number
}

type Position = Pick<ConsignmentRow, 'since' | 'reference'>

const READS_AT_ONCE = 32
const LISTS_HELD = 50 // of 100,000 rows each: 40 MB

/**
 * Every consignment in memory, newest first, so that no list costs a store request for each. Filled
 * and refreshed by listings; what it holds can always be read again from the state.
 */
export class ConsignmentIndex {
  readonly #state: Store
  readonly #zones: readonly string[]
  readonly #segments = new Set<string>()
  readonly #summaries = new Map<string, Delivered>()
  readonly #taken = new Map<string, Taken>()
  readonly #decisions = new Map<string, DecisionKind>()
  readonly #rows = new Map<string, ConsignmentRow>()
  #sorted: readonly ConsignmentRow[] = []
  /** What was asked for since something last changed. */
  readonly #lists = new Map<string, readonly ConsignmentRow[]>()
  #loaded = false
  #running: Promise<void> | undefined

  constructor(state: Store, zones: readonly string[]) {
    this.#state = state
    this.#zones = zones
  }

  /** Whether it has been filled once. */
  get loaded(): boolean {
    return this.#loaded
  }

  /** Look for what is new. Callers at the same time share one look. Throws StoreError. */
  refresh(): Promise<void> {
    this.#running ??= this.#refresh().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  find(reference: string): ConsignmentRow | undefined {
    return this.#rows.get(reference)
  }

  /**
   * One page of what matches. `scope` names what `mayRead` lets through, so that the next page, and
   * the next caller like this one, need not look through everything again.
   */
  page(
    filter: ConsignmentFilter,
    mayRead: (row: ConsignmentRow) => boolean,
    options: { readonly limit: number; readonly cursor?: string; readonly scope?: string },
  ): ConsignmentPage {
    const all = this.#matching(filter, mayRead, options.scope)
    const after = options.cursor === undefined ? undefined : readCursor(options.cursor)
    const from = after === undefined ? 0 : firstAfter(all, after)
    const rows = all.slice(from, from + options.limit)
    const last = rows.at(-1)
    const more = from + rows.length < all.length
    return {
      rows,
      total: all.length,
      ...(more && last !== undefined ? { cursor: cursorAt(last) } : {}),
    }
  }

  #matching(
    filter: ConsignmentFilter,
    mayRead: (row: ConsignmentRow) => boolean,
    scope: string | undefined,
  ): readonly ConsignmentRow[] {
    const name = scope === undefined ? undefined : JSON.stringify([scope, filter])
    const held = name === undefined ? undefined : this.#lists.get(name)
    if (held !== undefined) return held
    const rows = this.#sorted.filter((row) => matches(row, filter) && mayRead(row))
    if (name !== undefined) {
      const oldest = this.#lists.keys().next().value
      if (this.#lists.size >= LISTS_HELD && oldest !== undefined) this.#lists.delete(oldest)
      this.#lists.set(name, rows)
    }
    return rows
  }

  counts(): ConsignmentCounts {
    const verdicts: Partial<Record<Verdict, number>> = {}
    const states = { 'in progress': 0, 'to be decided': 0, decided: 0 }
    let files = 0
    let bytes = 0
    for (const row of this.#sorted) {
      states[row.state]++
      if (row.verdict !== undefined) verdicts[row.verdict] = (verdicts[row.verdict] ?? 0) + 1
      files += row.files ?? 0
      bytes += row.bytes ?? 0
    }
    return {
      inProgress: states['in progress'],
      toBeDecided: states['to be decided'],
      decided: states.decided,
      verdicts,
      files,
      bytes,
    }
  }

  async #refresh(): Promise<void> {
    const changed = new Map<string, ConsignmentRow>()
    const put = (row: ConsignmentRow) => {
      const before = this.#rows.get(row.reference)
      if (before !== undefined && !isNewer(row, before)) return
      this.#rows.set(row.reference, row)
      changed.set(row.reference, row)
    }
    for (const delivered of await readNewSummaries(this.#state, this.#segments, this.#summaries))
      put(rowOfReport(delivered))
    const undecided: TransferAddress[] = []
    const decided: TransferAddress[] = []
    for (const zone of this.#zones) {
      for await (const progress of foldMarkers(zone, this.#markers(zone))) {
        if (progress.decided) decided.push(progress.transfer)
        if (isInHand(progress)) undecided.push(progress.transfer)
      }
    }
    await eachAtOnce(undecided, async (transfer) => {
      const key = markerKey(transfer, 'taken.json')
      const taken = this.#taken.get(key) ?? (await readState<Taken>(this.#state, key))
      this.#taken.set(key, taken)
      put(rowInProgress(taken, transfer))
    })
    this.#resort(changed)
    this.#loaded = true
    this.#resort(await this.#readDecisions(decided, changed))
  }

  async *#markers(zone: string): AsyncGenerator<string> {
    const prefix = zoneMarkers(zone)
    for await (const { key } of this.#state.list({ prefix })) yield key.slice(prefix.length)
  }

  /** What was decided is read once for each decision. Returns the rows that it changed. */
  async #readDecisions(
    decided: readonly TransferAddress[],
    fresh: ReadonlyMap<string, ConsignmentRow>,
  ): Promise<ReadonlyMap<string, ConsignmentRow>> {
    const toRead = decided.filter((transfer) => !this.#decisions.has(whole(transfer)))
    await eachAtOnce(toRead, async (transfer) => {
      const key = markerKey(transfer, 'decided.json')
      const { kind } = await readState<{ readonly kind: DecisionKind }>(this.#state, key)
      this.#decisions.set(whole(transfer), kind)
    })
    const changed = new Map<string, ConsignmentRow>()
    // A decision is old news to every row but those that came now.
    for (const row of (toRead.length > 0 ? this.#rows : fresh).values()) {
      const decision = this.#decisions.get(whole(row.transfer))
      if (decision === undefined || (row.state === 'decided' && row.decision === decision)) continue
      const one: ConsignmentRow = { ...row, state: 'decided', decision }
      this.#rows.set(row.reference, one)
      changed.set(row.reference, one)
    }
    return changed
  }

  /** Merged, not sorted anew: a sort of 100,000 rows would hold up every caller for a while. */
  #resort(changed: ReadonlyMap<string, ConsignmentRow>): void {
    if (changed.size === 0) return
    const fresh = [...changed.values()].sort(newestFirst)
    const merged: ConsignmentRow[] = []
    let next = 0
    for (const row of this.#sorted) {
      if (changed.has(row.reference)) continue
      for (
        let one = fresh[next];
        one !== undefined && newestFirst(one, row) < 0;
        one = fresh[++next]
      )
        merged.push(one)
      merged.push(row)
    }
    this.#sorted = [...merged, ...fresh.slice(next)]
    this.#lists.clear()
  }
}

function isInHand(progress: Progress): boolean {
  return progress.taken && progress.deliveredVersion === 0
}

function whole(transfer: TransferAddress | TransferFacts): string {
  return `${transfer.zone}/${transferPrefix(transfer)}`
}

function rowOfReport(delivered: Delivered): ConsignmentRow {
  const { counts } = delivered
  return {
    reference: delivered.reference,
    attempt: delivered.attempt,
    reportVersion: delivered.reportVersion,
    state: 'to be decided',
    status: delivered.status,
    verdict: delivered.verdict,
    sentence: delivered.sentence,
    transfer: delivered.transfer,
    files: counts.files,
    bytes: counts.bytes,
    findings: counts.findings.reduce((sum, { count }) => sum + count, 0),
    unchecked: counts.unchecked,
    since: delivered.deliveredAt,
  }
}

function rowInProgress(taken: Taken, transfer: TransferAddress): ConsignmentRow {
  const { transferringBody, series, contact } = taken.completion
  return {
    reference: taken.reference,
    attempt: taken.attempt,
    reportVersion: 0,
    state: 'in progress',
    status: 'InProgress',
    transfer: {
      ...transfer,
      ...(transferringBody === undefined ? {} : { transferringBody }),
      ...(series === undefined ? {} : { series }),
      ...(contact === undefined ? {} : { contact }),
    },
    since: taken.takenAt,
  }
}

function isNewer(row: ConsignmentRow, before: ConsignmentRow): boolean {
  return row.attempt === before.attempt
    ? row.reportVersion > before.reportVersion
    : row.attempt > before.attempt
}

function newestFirst(a: Position, b: Position): number {
  if (a.since !== b.since) return a.since > b.since ? -1 : 1
  if (a.reference === b.reference) return 0
  return a.reference < b.reference ? -1 : 1
}

/** Where the rows after `position` begin: it may itself be gone. */
function firstAfter(rows: readonly ConsignmentRow[], position: Position): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    const row = rows[middle]
    if (row !== undefined && newestFirst(row, position) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

function matches(row: ConsignmentRow, filter: ConsignmentFilter): boolean {
  const { transfer } = row
  return (
    same(filter.state, row.state) &&
    same(filter.decision, row.decision) &&
    same(filter.status, row.status) &&
    same(filter.verdict, row.verdict) &&
    same(filter.transferringBody, transfer.transferringBody) &&
    same(filter.series, transfer.series) &&
    same(filter.integrator, transfer.integrator) &&
    same(filter.source, transfer.source) &&
    (filter.reference === undefined || row.reference.startsWith(filter.reference)) &&
    (filter.from === undefined || row.since >= filter.from) &&
    (filter.to === undefined || row.since.slice(0, 10) <= filter.to)
  )
}

function same(wanted: string | undefined, is: string | undefined): boolean {
  return wanted === undefined || wanted === is
}

function cursorAt({ since, reference }: Position): string {
  return Buffer.from(JSON.stringify([since, reference])).toString('base64url')
}

/** A cursor that is none begins at the beginning: it gives away nothing and breaks nothing. */
function readCursor(text: string): Position | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (!Array.isArray(value)) return undefined
    const [since, reference] = value as readonly unknown[]
    if (typeof since !== 'string' || typeof reference !== 'string') return undefined
    return { since, reference }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

async function eachAtOnce<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const take = async () => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await run(item)
  }
  await Promise.all(Array.from({ length: READS_AT_ONCE }, take))
}
