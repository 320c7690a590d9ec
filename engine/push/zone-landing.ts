import { createFolderLanding } from '../adapters/folder-landing.ts'
import { openStore } from '../adapters/open-store.ts'
import { retrying } from '../adapters/retrying-store.ts'
import { createS3Presigner, cutIntoParts, MULTIPART_ABOVE_BYTES } from '../adapters/s3-presign.ts'
import type { StoreAddress } from '../pool/messages.ts'
import { LandingError, type Landing, type Offer } from './landing.ts'

const LINKS_LAST_MS = 3_600_000

/**
 * A drop zone itself: a folder of this machine or a bucket, for those who may write there. A bucket
 * is written to as the service's links do: of a known length, and nothing is ever replaced.
 */
export function createZoneLanding(options: {
  readonly store: StoreAddress
  readonly integrator: string
  readonly source: string
  /** A new transfer's name, one level of a key. */
  readonly newTransferId: () => string
  readonly now: () => Date
}): Landing {
  const { store: address, integrator, source, now } = options
  const store = retrying(openStore(address), { attempts: 6, baseDelayMs: 200, maxDelayMs: 5000 })
  const presigner = address.kind === 's3' ? createS3Presigner(address) : undefined
  const folder = address.kind === 'folder' ? createFolderLanding(address.path) : undefined
  const prefix = (transferId: string) => `${integrator}/${source}/${transferId}/`

  return {
    address: store.address,
    begin: () => Promise.resolve({ transferId: options.newTransferId() }),

    async *arrived(transferId) {
      const under = prefix(transferId)
      for await (const { key, sizeBytes } of store.list({ prefix: under }))
        yield { key: key.slice(under.length), sizeBytes }
    },

    async offer(transferId, { key, sizeBytes, uploadId }): Promise<Offer> {
      const whole = prefix(transferId) + key
      if (folder !== undefined)
        return {
          kind: 'write',
          write: async (body) => void (await folder.receive(whole, body)),
        }
      if (presigner === undefined) throw new Error('bug: neither a folder nor a bucket')
      const at = now()
      const expires = await presigner.expiry(at, new Date(at.getTime() + LINKS_LAST_MS))
      if (sizeBytes <= MULTIPART_ABOVE_BYTES && uploadId === undefined)
        return { kind: 'single', request: await presigner.put(whole, sizeBytes, at, expires) }
      const id = uploadId ?? (await presigner.begin(whole))
      const parts = await Promise.all(
        cutIntoParts(sizeBytes).map(async (part) => ({
          ...part,
          request: await presigner.part(
            whole,
            id,
            { number: part.partNumber, sizeBytes: part.sizeBytes },
            at,
            expires,
          ),
        })),
      )
      return { kind: 'multipart', uploadId: id, parts }
    },

    async completeParts(transferId, key, uploadId, parts) {
      await presigner?.complete(prefix(transferId) + key, uploadId, parts)
    },

    async complete(transferId, completion) {
      const key = `${prefix(transferId)}complete.json`
      const text = JSON.stringify(completion)
      if ((await store.createIfAbsent(key, text)) === 'created') return
      const before = Buffer.from(await store.readWhole(key, { maxBytes: 1024 * 1024 })).toString()
      if (before !== text)
        throw new LandingError(
          'the transfer was completed before, with other numbers: send a correction with --corrects',
        )
    },

    async close() {
      await Promise.all([store.close(), presigner?.close()])
    },
  }
}
