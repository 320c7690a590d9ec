/**
 * A contiguous range of the inventory that one worker thread checks in one go.
 * `index` names its result for ever: chunks are never cut anew.
 */
export type Chunk = {
  readonly index: number
  /** Position in the inventory of the first entry. */
  readonly first: number
  readonly count: number
  readonly bytes: number
}

export type ChunkLimits = {
  readonly maxFiles: number
  readonly maxBytes: number
  /** Estimated seconds of one thread. */
  readonly maxCostSeconds: number
}

/** What a file costs before its first byte: open, tag read, result line. S3 measured, 2026. */
const SECONDS_PER_FILE = 0.02
/** Slow enough to be true of one S3 connection, so that a chunk ends within minutes anywhere. */
const BYTES_PER_SECOND = 80 * 1024 * 1024

/** A consignment is shared out in at least so many chunks, where they would not become tiny. */
const SHARES = 16
const LEAST_FILES = 250
const LEAST_BYTES = 64 * 1024 * 1024

/** Limits for one consignment: smaller chunks for a small one, so that every thread gets some of it. */
export function limitsFor(
  total: { readonly files: number; readonly bytes: number },
  limits: ChunkLimits,
): ChunkLimits {
  return {
    maxFiles: Math.min(limits.maxFiles, Math.max(LEAST_FILES, Math.ceil(total.files / SHARES))),
    maxBytes: Math.min(limits.maxBytes, Math.max(LEAST_BYTES, Math.ceil(total.bytes / SHARES))),
    maxCostSeconds: limits.maxCostSeconds,
  }
}

/**
 * Cut the inventory into chunks, in its own order.
 *
 * The same sizes and limits always give the same chunks. A file larger than `maxBytes` gets a
 * chunk to itself rather than an error, because it still has to be checked.
 */
export function chunkInventory(sizes: Iterable<number>, limits: ChunkLimits): Chunk[] {
  const chunks: Chunk[] = []
  let first = 0
  let count = 0
  let bytes = 0
  const close = () => {
    if (count === 0) return
    chunks.push({ index: chunks.length, first, count, bytes })
    first += count
    count = 0
    bytes = 0
  }
  for (const sizeBytes of sizes) {
    const full =
      count >= limits.maxFiles ||
      bytes + sizeBytes > limits.maxBytes ||
      chunkCostSeconds(count + 1, bytes + sizeBytes) > limits.maxCostSeconds
    if (full) close()
    count++
    bytes += sizeBytes
  }
  close()
  return chunks
}

export function chunkCostSeconds(files: number, bytes: number): number {
  return files * SECONDS_PER_FILE + bytes / BYTES_PER_SECOND
}

/** Order of dispatch: the costliest first, so that no thread is left with a large one at the end. */
export function dispatchOrder(chunks: readonly Chunk[]): Chunk[] {
  return [...chunks].sort(
    (a, b) =>
      chunkCostSeconds(b.count, b.bytes) - chunkCostSeconds(a.count, a.bytes) || a.index - b.index,
  )
}
