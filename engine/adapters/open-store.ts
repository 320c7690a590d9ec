import { resolve } from 'node:path'
import type { StoreAddress } from '../pool/messages.ts'
import { createFolderStore } from './folder-store.ts'
import { createS3Store } from './s3-store.ts'
import type { Store } from './store.ts'

type S3Options = Omit<Extract<StoreAddress, { kind: 's3' }>, 'kind' | 'bucket' | 'prefix'>

/** Open the store that an address describes. No request is made before the first call. */
export function openStore(address: StoreAddress): Store {
  return address.kind === 'folder' ? createFolderStore(address.path) : createS3Store(address)
}

/** `s3://bucket/prefix`, or a path taken from `folder`. Throws Error in plain words for what is neither. */
export function parseStoreAddress(
  text: string,
  options: S3Options & { readonly folder?: string } = {},
): StoreAddress {
  const { folder, ...s3 } = options
  const match = /^s3:\/\/([^/]*)\/?(.*)$/.exec(text)
  if (match === null) return { kind: 'folder', path: resolve(folder ?? '.', text) }
  const [, bucket = '', prefix = ''] = match
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw new Error(`${text} does not name an S3 bucket`)
  return {
    kind: 's3',
    bucket,
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    ...s3,
  }
}

const SELF_TEST_KEY = 'self-test/create-once'
const SELF_TEST_CONTENT = 'first'

/**
 * Write one key twice. Throws Error when the store takes the second write, or no longer has what
 * the first one wrote: then two processes could both believe that they were first, and nothing
 * this program records would hold. The key may be there from an earlier start.
 */
export async function storeSelfTest(store: Store): Promise<void> {
  await store.createIfAbsent(SELF_TEST_KEY, SELF_TEST_CONTENT)
  if (
    (await store.createIfAbsent(SELF_TEST_KEY, 'second')) === 'created' ||
    Buffer.from(await store.readWhole(SELF_TEST_KEY, { maxBytes: 1000 })).toString() !==
      SELF_TEST_CONTENT
  ) {
    throw new Error(
      `${store.address} ignores create-if-absent (If-None-Match): it cannot hold state. Use Amazon S3, or a store that enforces it.`,
    )
  }
}
