import { refuseAborted, type Store, type StoreCallOptions } from './store.ts'

/**
 * The same store, where every call ends with 'aborted' once the signal is: whoever works with it
 * stops at the next thing it reads or writes, and leaves what any kill would leave.
 */
export function stopping(store: Store, signal: AbortSignal): Store {
  const stopped = (options: StoreCallOptions | undefined): StoreCallOptions => ({
    signal: options?.signal === undefined ? signal : AbortSignal.any([options.signal, signal]),
  })
  return {
    address: store.address,
    list: (options) => store.list({ ...options, ...stopped(options) }),
    listLevel: (prefix, options) => store.listLevel(prefix, stopped(options)),
    head: (key, options) => store.head(key, stopped(options)),
    ageMs: (key, options) => store.ageMs(key, stopped(options)),
    readWhole: (key, options) => store.readWhole(key, { ...options, ...stopped(options) }),
    stream: (key, options) => store.stream(key, { ...options, ...stopped(options) }),
    feed: (key, options, sink) => store.feed(key, { ...options, ...stopped(options) }, sink),
    tags: (key, options) => store.tags(key, stopped(options)),
    addTag: (key, tag, options) => store.addTag(key, tag, { ...options, ...stopped(options) }),
    // A write that has begun is let finish: half a multipart upload would cost its parts.
    createIfAbsent: async (key, bytes, options) => {
      refuseAborted(key, { signal })
      return store.createIfAbsent(key, bytes, options)
    },
    write: async (key, body, options) => {
      refuseAborted(key, { signal })
      return store.write(key, body, options)
    },
    hasOpenUploads: (prefix, options) => store.hasOpenUploads(prefix, stopped(options)),
    inspect: (options) => store.inspect(stopped(options)),
    close: () => store.close(),
  }
}
