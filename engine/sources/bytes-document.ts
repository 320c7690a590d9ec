import type { SourceDocument } from '../model/source.ts'

const HEAD_BYTES = 64 * 1024

/** A document whose bytes are at hand already. `chunkBytes` is how many each read gives. */
export function bytesDocument(
  key: string,
  content: Uint8Array | string,
  chunkBytes = 64 * 1024,
): SourceDocument {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return {
    key,
    sizeBytes: bytes.length,
    head: bytes.subarray(0, HEAD_BYTES),
    async *open() {
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        yield bytes.subarray(at, at + chunkBytes)
      }
    },
  }
}
