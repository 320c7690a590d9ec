import type { TaskTime } from '../../lifecycle/cost.ts'
import type { Store } from '../adapters/store.ts'
import { readState } from '../run/create-once.ts'

const PREFIX = 'lifecycle/tasks/'
const SEEN_EVERY_MS = 10 * 60_000
/** Last seen longer ago than two signs of life: it is gone, and told nobody. */
const GONE_AFTER_MS = 2 * SEEN_EVERY_MS

type Seen = { readonly startedUtc: number; readonly seenUtc: number; readonly ended: boolean }

/** Writes down since when and until when this task runs: what the saving is measured by. */
export class TaskClock {
  readonly #state: Store
  readonly #now: () => Date
  readonly #startedUtc: number
  readonly #key: string
  #timer: NodeJS.Timeout | undefined

  constructor(state: Store, taskId: string, now: () => Date) {
    this.#state = state
    this.#now = now
    this.#startedUtc = now().getTime()
    const started = new Date(this.#startedUtc).toISOString().replaceAll(/[:.]/g, '-')
    this.#key = `${PREFIX}${started}-${taskId}.json`
  }

  /** Throws StoreError where even the first sign cannot be written. */
  async begin(onError: (error: unknown) => void): Promise<void> {
    await this.#write(false)
    this.#timer = setInterval(() => void this.#write(false).catch(onError), SEEN_EVERY_MS)
    this.#timer.unref()
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#write(true)
  }

  #write(ended: boolean): Promise<void> {
    const seen: Seen = { startedUtc: this.#startedUtc, seenUtc: this.#now().getTime(), ended }
    return this.#state.write(this.#key, JSON.stringify(seen))
  }
}

/** Reads the times of all tasks since an instant; those that have ended are read once. */
export class TaskTimes {
  readonly #state: Store
  readonly #ended = new Map<string, TaskTime>()

  constructor(state: Store) {
    this.#state = state
  }

  async since(fromUtc: number, nowUtc: number): Promise<readonly TaskTime[]> {
    const times: TaskTime[] = []
    // A task may have begun before, but not longer than a week ago: it sleeps at weekends.
    const from = new Date(fromUtc - 7 * 86_400_000).toISOString().slice(0, 10)
    for await (const { key } of this.#state.list({ prefix: PREFIX, startAfter: PREFIX + from })) {
      const known = this.#ended.get(key)
      if (known !== undefined) {
        times.push(known)
        continue
      }
      const { startedUtc, seenUtc, ended } = await readState<Seen>(this.#state, key)
      const gone = ended || nowUtc - seenUtc > GONE_AFTER_MS
      const time: TaskTime = { startedUtc, stoppedUtc: gone ? seenUtc : undefined }
      if (ended) this.#ended.set(key, time)
      times.push(time)
    }
    return times
  }
}
