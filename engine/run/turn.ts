import type { Store } from '../adapters/store.ts'

/**
 * Whose turn it is to do something that several tasks could do: it saves double work and guards
 * nothing, because every write is create-once. A holder that dies or freezes loses its turn, by
 * the store's clock alone, when it has given no sign of life for `staleMs`.
 */
export type Turn = {
  /** The work failed or was handed back: the next one need not wait. */
  release(): Promise<void>
  /** The work is recorded elsewhere; nobody needs another turn. */
  end(): void
}

export type TurnTiming = { readonly beatMs: number; readonly staleMs: number }

const RELEASED = 'released.json' // sorts after every numbered sign of life

/** Take the turn, or undefined while another task has it. `prefix` ends in "/". */
export async function takeTurn(
  state: Store,
  prefix: string,
  timing: TurnTiming,
): Promise<Turn | undefined> {
  const last = await lastKey(state, prefix)
  if (last !== undefined && !last.endsWith(RELEASED)) {
    const age = await state.ageMs(last)
    if (age !== undefined && age < timing.staleMs) return undefined
  }
  const number = last === undefined ? 1 : Number(last.slice(prefix.length).split('/')[0]) + 1
  const ours = `${prefix}${pad(number)}/`
  if ((await state.createIfAbsent(`${ours}${pad(0)}.json`, '{}')) === 'exists') return undefined
  let beats = 0
  const timer = setInterval(() => {
    // A sign of life that could not be given costs a turn, never work.
    state.createIfAbsent(`${ours}${pad(++beats)}.json`, '{}').catch(() => {})
  }, timing.beatMs)
  timer.unref()
  return {
    end: () => clearInterval(timer),
    async release() {
      clearInterval(timer)
      await state.createIfAbsent(`${ours}${RELEASED}`, '{}')
    },
  }
}

async function lastKey(state: Store, prefix: string): Promise<string | undefined> {
  let last: string | undefined
  for await (const { key } of state.list({ prefix })) last = key
  return last
}

function pad(number: number): string {
  return String(number).padStart(5, '0')
}
