import { translated } from './folder-errors.ts'
import { checkFolderKey } from './folder-names.ts'
import { FolderWriter } from './folder-writer.ts'
import type { StoreCallOptions } from './store.ts'

/** Where senders' bytes arrive in a folder, from a stream and once: nothing is ever replaced. */
export type FolderLanding = {
  /**
   * Write `body` under `key` if nothing is there. Durable before it resolves; half a body is never
   * visible. Throws StoreError, or whatever `body` throws.
   */
  receive(
    key: string,
    body: AsyncIterable<Uint8Array>,
    options?: StoreCallOptions,
  ): Promise<'created' | 'exists'>
}

export function createFolderLanding(path: string): FolderLanding {
  const writer = new FolderWriter(path)
  return {
    receive: (key, body, options) =>
      translated(key, () => {
        checkFolderKey(key)
        return writer.createIfAbsent(key, body, options)
      }),
  }
}
