import { setTimeout as delay } from 'node:timers/promises'
import { compareKeys } from '../model/key-order.ts'
import {
  refuseAborted,
  StoreError,
  type FeedOptions,
  type FeedResult,
  type Store,
  type StoreCallOptions,
} from './store.ts'

export type RetryOptions = {
  /** Tries in all. */
  readonly attempts: number
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  readonly random?: () => number
  readonly sleep?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>
}

/**
 * The same store, with what may be retried tried again after a random share of a doubling delay
 * (full jitter). Reads go on where they broke off: no byte reaches a sink twice.
 */
export function retrying(store: Store, options: RetryOptions): Store {
  const random = options.random ?? Math.random
  const sleep = options.sleep ?? sleepFor

  async function pause(
    attempt: number,
    error: unknown,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const mayRetry =
      error instanceof StoreError &&
      error.retryable &&
      attempt < options.attempts &&
      signal?.aborted !== true
    if (!mayRetry) throw error
    await sleep(
      random() * Math.min(options.maxDelayMs, options.baseDelayMs * 2 ** (attempt - 1)),
      signal,
    )
    refuseAborted(error.key, signal === undefined ? undefined : { signal })
  }

  async function again<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call()
      } catch (error) {
        await pause(attempt, error, signal)
      }
    }
  }

  /** Iterate again from where it broke off; progress resets the count of tries. */
  async function* resumed<T>(
    open: (last: T | undefined) => AsyncIterable<T>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<T> {
    let last: T | undefined
    for (let attempt = 1; ; attempt++) {
      try {
        for await (const value of open(last)) {
          last = value
          attempt = 1
          yield value
        }
        return
      } catch (error) {
        await pause(attempt, error, signal)
      }
    }
  }

  return {
    address: store.address,
    list: (list) =>
      resumed(
        (last) => store.list(last === undefined ? list : { ...list, startAfter: last.key }),
        list.signal,
      ),
    async *listLevel(prefix, call) {
      // A level is read again as a whole and what lies up to the last name is passed over.
      let last: string | undefined
      for (let attempt = 1; ; attempt++) {
        try {
          for await (const entry of store.listLevel(prefix, call)) {
            const place = entry.kind === 'folder' ? `${entry.name}/` : entry.name
            if (last !== undefined && compareKeys(place, last) <= 0) continue
            last = place
            yield entry
          }
          return
        } catch (error) {
          await pause(attempt, error, call?.signal)
        }
      }
    },
    head: (key, call) => again(() => store.head(key, call), call?.signal),
    ageMs: (key, call) => again(() => store.ageMs(key, call), call?.signal),
    readWhole: (key, call) => again(() => store.readWhole(key, call), call.signal),
    async *stream(key, call) {
      const start = call?.startByte ?? 0
      let position = start
      for (let attempt = 1; ; attempt++) {
        try {
          for await (const piece of store.stream(key, { ...call, startByte: position })) {
            position += piece.byteLength
            attempt = 1
            yield piece
          }
          return
        } catch (error) {
          // Without an ETag the rest could be that of another object.
          if (position > start && call?.etag === undefined) throw error
          await pause(attempt, error, call?.signal)
        }
      }
    },
    async feed(
      key: string,
      call: FeedOptions,
      sink: (bytes: Uint8Array) => void,
    ): Promise<FeedResult> {
      const start = call.startByte ?? 0
      let fed = 0
      let announced = false
      for (let attempt = 1; ; attempt++) {
        const before = fed
        try {
          const result = await store.feed(
            key,
            {
              ...call,
              startByte: start + fed,
              onStoredChecksum: (algorithm) => {
                if (!announced) call.onStoredChecksum?.(algorithm)
                announced = true
              },
            },
            (bytes) => {
              fed += bytes.byteLength
              sink(bytes)
            },
          )
          return { ...result, bytesFed: fed }
        } catch (error) {
          // A reader that gains ground is not failing: a file of days meets many cut connections.
          if (fed > before) attempt = 1
          await pause(attempt, error, call.signal)
        }
      }
    },
    // What fails at once is read again by way of `feed`.
    ...(store.readAtOnce === undefined ? {} : { readAtOnce: store.readAtOnce }),
    tags: (key, call) => again(() => store.tags(key, call), call?.signal),
    addTag: (key, tag, call) => again(() => store.addTag(key, tag, call), call.signal),
    createIfAbsent: (key, bytes, call) =>
      again(() => store.createIfAbsent(key, bytes, call), call?.signal),
    write: (key, body, call: StoreCallOptions = {}) =>
      typeof body === 'string' || body instanceof Uint8Array
        ? again(() => store.write(key, body, call), call.signal)
        : store.write(key, body, call), // a stream can be read only once; its caller writes the file again
    hasOpenUploads: (prefix, call) => again(() => store.hasOpenUploads(prefix, call), call?.signal),
    inspect: (call) => again(() => store.inspect(call), call?.signal),
    close: () => store.close(),
  }
}

/** Cut short by the signal; the caller then looks at it. */
async function sleepFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    if (signal?.aborted !== true) throw error
  }
}
