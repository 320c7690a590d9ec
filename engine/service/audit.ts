import { randomUUID } from 'node:crypto'
import type { Store } from '../adapters/store.ts'
import { readState } from '../run/create-once.ts'
import { AUDIT, auditKey } from '../run/state-layout.ts'
import type { Role } from '../service-config.ts'

/** One thing that an operator or archivist did, or was refused. Written once, never changed. */
export type AuditEntry = {
  readonly id: string
  /** ISO instant. */
  readonly when: string
  readonly who: string
  readonly role: Role
  /** `accept`, `return`, `withdraw`, `recheck`, `schedule.pause`, ... */
  readonly what: string
  /** The consignment or schedule it was done to. */
  readonly to: string
  readonly why: string
  /** 'asked' before it is tried; the end has an entry of its own, with the id of the first. */
  readonly outcome: 'asked' | 'done' | 'refused' | 'failed'
  readonly asked?: string
  /** Why it was refused. */
  readonly detail?: string
  readonly transferringBody?: string
}

export type AuditAction = Pick<
  AuditEntry,
  'who' | 'role' | 'what' | 'to' | 'why' | 'transferringBody'
>

/**
 * Do something with its record: what was asked is written before, so that nothing is done that is
 * not in the log, and how it ended after. `act` throws what its caller throws on.
 */
export async function audited<T>(
  state: Store,
  now: () => Date,
  action: AuditAction,
  act: () => Promise<T>,
): Promise<T> {
  const asked = await write(state, now(), { ...action, outcome: 'asked' })
  try {
    const result = await act()
    await write(state, now(), { ...action, outcome: 'done', asked })
    return result
  } catch (error) {
    const refused = error instanceof Error && ['Refusal', 'Problem'].includes(error.name)
    await write(state, now(), {
      ...action,
      outcome: refused ? 'refused' : 'failed',
      asked,
      detail: refused ? error.message : 'The program or a store failed; see its log.',
    })
    throw error
  }
}

async function write(
  state: Store,
  instant: Date,
  entry: Omit<AuditEntry, 'id' | 'when'>,
): Promise<string> {
  const id = randomUUID()
  const whole: AuditEntry = { id, when: instant.toISOString(), ...entry }
  if ((await state.createIfAbsent(auditKey(instant, id), JSON.stringify(whole))) === 'exists')
    throw new Error('bug: two entries of the audit log have one id')
  return id
}

export type AuditRange = {
  /** YYYY-MM-DD, both inclusive, in UTC. */
  readonly from?: string
  readonly to?: string
  /** Key of the last entry seen. */
  readonly after?: string
}

/** The log, oldest first, with the key to go on after. */
export async function* readAudit(
  state: Store,
  range: AuditRange = {},
): AsyncGenerator<{ readonly key: string; readonly entry: AuditEntry }> {
  const from = range.from === undefined ? undefined : `${AUDIT}${range.from}`
  const startAfter = range.after !== undefined && range.after > (from ?? '') ? range.after : from
  const { to } = range
  for await (const { key } of state.list({
    prefix: AUDIT,
    ...(startAfter === undefined ? {} : { startAfter }),
  })) {
    if (to !== undefined && key.slice(AUDIT.length, AUDIT.length + 10) > to) return
    yield { key, entry: await readState<AuditEntry>(state, key) }
  }
}

const COLUMNS = [
  'when',
  'who',
  'role',
  'what',
  'to',
  'why',
  'outcome',
  'detail',
  'transferringBody',
  'asked',
  'id',
] as const

const FORMULA = /^[=+\-@\t\r]/

/** As CSV for a spreadsheet, or as JSON lines, in pieces. */
export async function* exportAudit(
  entries: AsyncIterable<AuditEntry>,
  format: 'csv' | 'jsonl',
): AsyncGenerator<string> {
  if (format === 'csv') yield `\ufeff${COLUMNS.join(',')}\r\n`
  for await (const entry of entries)
    yield format === 'csv'
      ? `${COLUMNS.map((name) => cell(entry[name])).join(',')}\r\n`
      : `${JSON.stringify(entry)}\n`
}

/** Quoted, and never a formula to a spreadsheet. */
function cell(text: string | undefined): string {
  if (text === undefined || text === '') return ''
  const safe = FORMULA.test(text) ? `'${text}` : text
  return `"${safe.replaceAll('"', '""')}"`
}
