import type { Store } from '../adapters/store.ts'

const STATE_OBJECT_LIMIT_BYTES = 256 * 1024 * 1024

/**
 * Two honest attempts at one step wrote different bytes: either sealed bytes changed under us or
 * the program has a bug. Never dropped, never overwritten; a person has to look.
 */
export class IntegrityAlarm extends Error {
  override readonly name = 'IntegrityAlarm'
  readonly key: string
  constructor(key: string) {
    super(`${key} already exists with other content than this run computed`)
    this.key = key
  }
}

/** Write what sealed input alone determines. Loses no race: the winner's bytes have to equal ours. */
export async function writeOnce(store: Store, key: string, content: string): Promise<void> {
  if ((await store.createIfAbsent(key, content)) === 'created') return
  const stored = await readText(store, key)
  if (stored !== content) throw new IntegrityAlarm(key)
}

/**
 * Claim a key for one of several contenders; returns whatever value won. Finding our own value
 * there is a win: the answer to an earlier write of it was lost.
 */
export async function claim<T>(
  store: Store,
  key: string,
  value: T,
): Promise<{ won: boolean; value: T }> {
  const ours = JSON.stringify(value)
  if ((await store.createIfAbsent(key, ours)) === 'created') return { won: true, value }
  const stored = await readText(store, key)
  return { won: stored === ours, value: JSON.parse(stored) as T }
}

/** Mark a step as done; who did it first does not matter. */
export async function mark(store: Store, key: string, value: unknown): Promise<void> {
  await store.createIfAbsent(key, JSON.stringify(value))
}

export async function readText(store: Store, key: string): Promise<string> {
  return Buffer.from(await store.readWhole(key, { maxBytes: STATE_OBJECT_LIMIT_BYTES })).toString(
    'utf8',
  )
}

/** The state area is written by this program alone, so its shape is trusted; its version is checked at the intake. */
export async function readState<T>(store: Store, key: string): Promise<T> {
  return JSON.parse(await readText(store, key)) as T
}

export async function readStateIfThere<T>(store: Store, key: string): Promise<T | undefined> {
  return (await store.head(key)) === undefined ? undefined : readState<T>(store, key)
}
