import type { SourceDocument } from '../model/source.ts'

export type XmlPiece = {
  readonly text: string
  /** Set on the last piece: the bytes after `text` are no characters of the encoding. */
  readonly damaged?: true
}

export type XmlEncoding =
  | {
      readonly kind: 'known'
      /** As TextDecoder calls it. */
      readonly label: string
      readonly bomBytes: number
      /** UTF-16 that lacks the byte order mark it has to have. */
      readonly unmarked?: true
    }
  | { readonly kind: 'unreadable'; readonly declared: string; readonly why: string }

const DECLARATION = /^<\?xml\s[^>]{0,500}?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']/
const HEAD_BYTES = 1024

/** How an XML document's bytes become text: byte order mark, then NUL pattern, then declaration. */
export function sniffXmlEncoding(head: Uint8Array): XmlEncoding {
  const [a, b, c, d] = head
  if (a === 0xef && b === 0xbb && c === 0xbf) return { kind: 'known', label: 'utf-8', bomBytes: 3 }
  const wide =
    (a === 0xff && b === 0xfe) || (a !== 0 && b === 0 && d === 0)
      ? 'utf-16le'
      : (a === 0xfe && b === 0xff) || (a === 0 && b !== 0 && c === 0)
        ? 'utf-16be'
        : undefined
  const declared = declaredEncoding(head, wide)
  if (wide !== undefined) {
    if (declared !== undefined && !/^(utf-?16|iso-10646-ucs-2|ucs-2)/i.test(declared)) {
      return { kind: 'unreadable', declared, why: 'The document is in UTF-16.' }
    }
    const marked = a === 0xff || a === 0xfe
    return marked
      ? { kind: 'known', label: wide, bomBytes: 2 }
      : { kind: 'known', label: wide, bomBytes: 0, unmarked: true }
  }
  if (declared === undefined) return { kind: 'known', label: 'utf-8', bomBytes: 0 }
  if (/^(utf-?(16|32)|iso-10646|ucs)/i.test(declared)) {
    return { kind: 'unreadable', declared, why: 'The document is not in that encoding.' }
  }
  try {
    // As browsers do, ISO-8859-1 and US-ASCII are read as Windows-1252, which contains them.
    return { kind: 'known', label: new TextDecoder(declared).encoding, bomBytes: 0 }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { kind: 'unreadable', declared, why: 'That encoding is not known.' }
  }
}

function declaredEncoding(head: Uint8Array, wide: string | undefined): string | undefined {
  const start = head.subarray(0, HEAD_BYTES)
  // An XML declaration has only ASCII characters, whatever the encoding.
  const text = new TextDecoder(wide ?? 'latin1').decode(start).replace(/^\ufeff/, '')
  return DECLARATION.exec(text)?.[1]
}

/** The head as text, for recognising: never fails, may end inside a character. */
export function xmlHeadText(document: SourceDocument): string {
  const encoding = sniffXmlEncoding(document.head)
  if (encoding.kind === 'unreadable') return new TextDecoder('latin1').decode(document.head)
  const { label, bomBytes } = encoding
  return new TextDecoder(label).decode(document.head.subarray(bomBytes), { stream: true })
}

/**
 * The document's text, strictly decoded, without byte order mark. Stops at the first byte that is
 * no character, with the text before it, so that the reader knows line and column.
 */
export async function* decodeXml(
  document: SourceDocument,
  encoding: Extract<XmlEncoding, { kind: 'known' }>,
): AsyncGenerator<XmlPiece> {
  let skip = encoding.bomBytes
  const { label } = encoding
  const decode = label === 'utf-8' ? utf8Decoder() : otherDecoder(label)
  for await (const chunk of document.open()) {
    let bytes = chunk
    if (skip > 0) {
      const skipped = Math.min(skip, bytes.length)
      bytes = bytes.subarray(skipped)
      skip -= skipped
    }
    const piece = decode(bytes, false)
    if (piece.text !== '' || piece.damaged === true) yield piece
    if (piece.damaged === true) return
  }
  const piece = decode(new Uint8Array(), true)
  if (piece.text !== '' || piece.damaged === true) yield piece
}

type Decode = (bytes: Uint8Array, last: boolean) => XmlPiece

/** Whole characters at a time, which is much faster than a decoder that keeps state. */
function utf8Decoder(): Decode {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let carried: Uint8Array = new Uint8Array()
  return (bytes, last) => {
    const all = carried.length === 0 ? bytes : Buffer.concat([carried, bytes])
    const whole = last ? all.length : all.length - openCharacterBytes(all)
    carried = all.slice(whole)
    const now = all.subarray(0, whole)
    try {
      return { text: strict.decode(now) }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      return { text: soundUtf8(now), damaged: true }
    }
  }
}

/** Bytes at the end that begin a character but do not end it. */
function openCharacterBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return 0
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return length > back ? back : 0
    }
  }
  return 0
}

/** The text before the first damage. A U+FFFD that was sent as such is no damage. */
function soundUtf8(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  let at = 0
  let offset = 0
  for (let next = text.indexOf('\ufffd'); next !== -1; next = text.indexOf('\ufffd', at)) {
    offset += Buffer.byteLength(text.slice(at, next))
    const sent = bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd
    if (!sent) return text.slice(0, next)
    offset += 3
    at = next + 1
  }
  return text
}

function otherDecoder(label: string): Decode {
  const strict = new TextDecoder(label, { fatal: true, ignoreBOM: true })
  const lenient = new TextDecoder(label, { ignoreBOM: true })
  return (bytes, last) => {
    try {
      // Without `stream`, Node 20 takes Windows-1252 for ISO 8859-1.
      return { text: strict.decode(bytes, { stream: !last }) }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      const text = lenient.decode(bytes)
      const damage = text.indexOf('\ufffd')
      return { text: damage === -1 ? text : text.slice(0, damage), damaged: true }
    }
  }
}
