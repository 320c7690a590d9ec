import { setTimeout as delay } from 'node:timers/promises'
import {
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
  const sleep =
    options.sleep ??
    ((milliseconds, signal) =>
      delay(milliseconds, undefined, signal === undefined ? {} : { signal }))

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
      // A level is re-read as a whole and what was already seen is passed over.
      let seen = 0
      for (let attempt = 1; ; attempt++) {
        try {
          let position = 0
          for await (const entry of store.listLevel(prefix, call)) {
            if (position++ < seen) continue
            seen++
            yield entry
          }
          return
        } catch (error) {
          await pause(attempt, error, call?.signal)
        }
      }
    },
    head: (key, call) => again(() => store.head(key, call), call?.signal),
    readWhole: (key, call) => again(() => store.readWhole(key, call), call.signal),
    async *stream(key, call) {
      let position = call?.startByte ?? 0
      for (let attempt = 1; ; attempt++) {
        try {
          for await (const piece of store.stream(key, { ...call, startByte: position })) {
            position += piece.byteLength
            attempt = 1
            yield piece
          }
          return
        } catch (error) {
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
      const result = await again(
        () =>
          store.feed(key, { ...call, startByte: start + fed }, (bytes) => {
            fed += bytes.byteLength
            sink(bytes)
          }),
        call.signal,
      )
      return { ...result, bytesFed: fed }
    },
    tags: (key, call) => again(() => store.tags(key, call), call?.signal),
    createIfAbsent: (key, bytes, call) =>
      again(() => store.createIfAbsent(key, bytes, call), call?.signal),
    write: (key, body, call: StoreCallOptions = {}) =>
      typeof body === 'string' || body instanceof Uint8Array
        ? again(() => store.write(key, body, call), call.signal)
        : store.write(key, body, call), // a stream can be read only once; its caller writes the file again
    hasOpenUploads: (prefix, call) => again(() => store.hasOpenUploads(prefix, call), call?.signal),
    close: () => store.close(),
  }
}
