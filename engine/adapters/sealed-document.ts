import type { Store } from './store.ts'
import type { SourceDocument } from '../model/source.ts'

const HEAD_BYTES = 64 * 1024

/** A document under `metadata/` as the intake lists it: pinned, with the kind it was taken for. */
export type SealedDocument = {
  readonly key: string
  readonly sizeBytes: number
  readonly etag: string
  /** Prefix of the transfer it lies in. */
  readonly root: string
  /** Kind id; undefined where it was not recognised. */
  readonly kind?: string
  /** Whether it holds metadata rows. */
  readonly rows?: boolean
  /** 0 for the first attempt's, higher for those of corrections, which supersede. */
  readonly generation: number
}

/** Open a document of a transfer for its reader. Every pass is pinned to the sealed bytes. */
export async function openDocument(
  zoneStore: Store,
  document: Pick<SealedDocument, 'key' | 'sizeBytes' | 'etag' | 'root'>,
): Promise<SourceDocument> {
  const { etag } = document
  const key = document.root + document.key
  return {
    key: document.key,
    sizeBytes: document.sizeBytes,
    head: await readHead(zoneStore.stream(key, { etag })),
    open: () => zoneStore.stream(key, { etag }),
  }
}

async function readHead(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of stream) {
    // A copy, because a store may reuse its buffer.
    pieces.push(Uint8Array.from(piece.subarray(0, HEAD_BYTES - bytes)))
    bytes += piece.byteLength
    if (bytes >= HEAD_BYTES) break
  }
  return Buffer.concat(pieces)
}
