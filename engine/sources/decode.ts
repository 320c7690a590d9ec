import { isAscii, isUtf8 } from 'node:buffer'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument } from '../model/source.ts'

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

export type SniffedEncoding = {
  readonly encoding: Encoding
  /** Length of the byte order mark. */
  readonly bomBytes: number
  /** False where later bytes may still show that a text taken for UTF-8 is Windows-1252. */
  readonly settled: boolean
}

const SNIFF_BYTES = 4096

/**
 * What the first bytes say about the encoding: a byte order mark, else the NUL pattern that Latin
 * text has in UTF-16, else UTF-8 unless its first characters beyond ASCII are not.
 */
export function sniffEncoding(head: Uint8Array): SniffedEncoding {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) {
    return { encoding: 'utf-8', bomBytes: 3, settled: true }
  }
  if (head[0] === 0xff && head[1] === 0xfe) {
    return { encoding: 'utf-16le', bomBytes: 2, settled: true }
  }
  if (head[0] === 0xfe && head[1] === 0xff) {
    return { encoding: 'utf-16be', bomBytes: 2, settled: true }
  }
  const wide = sniffWide(head.subarray(0, SNIFF_BYTES))
  if (wide !== undefined) return { encoding: wide, bomBytes: 0, settled: true }
  if (isAscii(head)) return { encoding: 'utf-8', bomBytes: 0, settled: false }
  return { encoding: narrowEncodingOf(head), bomBytes: 0, settled: true }
}

function sniffWide(head: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (head.length < 4) return undefined
  let even = 0
  let odd = 0
  for (let i = 0; i + 1 < head.length; i += 2) {
    if (head[i] === 0) even++
    if (head[i + 1] === 0) odd++
  }
  const pairs = head.length >> 1
  if (odd > pairs * 0.4 && even < pairs * 0.1) return 'utf-16le'
  if (even > pairs * 0.4 && odd < pairs * 0.1) return 'utf-16be'
  return undefined
}

/**
 * UTF-8 or Windows-1252, for bytes that are not all ASCII. A damaged UTF-8 text still has more
 * whole characters than broken ones; in a Windows-1252 text whole ones are accidents.
 */
function narrowEncodingOf(bytes: Uint8Array): 'utf-8' | 'windows-1252' {
  if (isUtf8(bytes)) return 'utf-8'
  let whole = 0
  let broken = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0
    if (byte < 0x80) continue
    const length =
      byte >= 0xc2 && byte < 0xe0 ? 2 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0
    if (byte >= 0xc2 && length > 0) {
      // The last character may be cut by the end of what we were given.
      if (i + length > bytes.length) break
      if (isUtf8(bytes.subarray(i, i + length))) {
        whole++
        i += length - 1
        continue
      }
    }
    broken++
  }
  return whole >= broken ? 'utf-8' : 'windows-1252'
}

/**
 * The document's text as UTF-8 bytes without byte order mark, in pieces that may end inside a
 * character. Bytes that were taken for UTF-8 are passed on as they are, for the reader to check
 * where it knows the row; other encodings are converted. What was assumed is reported once.
 */
export async function* decodeToUtf8(
  document: SourceDocument,
  report: (finding: Finding) => void,
): AsyncGenerator<Buffer> {
  const sniffed = sniffEncoding(document.head)
  let { encoding, settled } = sniffed
  let skip = sniffed.bomBytes
  if (encoding !== 'utf-8') report(encodingFinding(document.key, encoding))
  let decoder = encoding === 'utf-8' ? undefined : new TextDecoder(encoding)
  for await (const chunk of document.open()) {
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (skip > 0) {
      const skipped = Math.min(skip, bytes.length)
      bytes = bytes.subarray(skipped)
      skip -= skipped
    }
    if (!settled && !isAscii(bytes)) {
      // Everything before was ASCII, which is the same in both.
      settled = true
      encoding = narrowEncodingOf(bytes)
      if (encoding !== 'utf-8') {
        decoder = new TextDecoder(encoding)
        report(encodingFinding(document.key, encoding))
      }
    }
    // Without `stream`, Node 20 takes Windows-1252 for ISO 8859-1.
    if (decoder === undefined) yield bytes
    else yield Buffer.from(decoder.decode(bytes, { stream: true }))
  }
  const rest = decoder?.decode() ?? ''
  if (rest !== '') yield Buffer.from(rest)
}

function encodingFinding(document: string, encoding: Exclude<Encoding, 'utf-8'>): Finding {
  return encoding === 'windows-1252'
    ? {
        code: 'METADATA.ENCODING_ASSUMED',
        place: { document },
        value: 'Windows-1252',
        expected: 'UTF-8',
      }
    : {
        code: 'METADATA.ENCODING_UTF16',
        place: { document },
        value: encoding === 'utf-16le' ? 'UTF-16 LE' : 'UTF-16 BE',
        expected: 'UTF-8',
      }
}
