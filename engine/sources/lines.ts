import type { SourceDocument } from '../model/source.ts'

/** One line of a text document, without its line break. `row` counts from 1, as an editor does. */
export type Line = { readonly row: number; readonly text: string }

const LINE_LIMIT_CHARACTERS = 64 * 1024 // a path has at most 4,096 bytes; more is not a manifest line

/** How the bytes of a line-based document become text, told by its first bytes. */
export function sniffLineEncoding(head: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  return 'utf-8'
}

/**
 * The lines of a document, streamed. CR LF, LF and CR end a line, or NUL where `zero` is set; a
 * line over the limit comes back cut, with `onTooLong` told first, so that garbage fills no memory.
 * Bytes that are not text become U+FFFD: the line's reader says what that means.
 */
export async function* readTextLines(
  document: SourceDocument,
  options: {
    readonly zero?: boolean
    /** Where something outside the document says so; else its first bytes do. */
    readonly encoding?: string
    readonly onTooLong?: (row: number) => void
  } = {},
): AsyncGenerator<Line> {
  const decoder = new TextDecoder(options.encoding ?? sniffLineEncoding(document.head))
  const separator = options.zero === true ? /\0/ : /\r\n|\n|\r/
  let row = 1
  let rest = ''
  let skipping = false
  for await (const bytes of document.open()) {
    rest += decoder.decode(bytes, { stream: true })
    // A CR at the very end may be half of a CR LF.
    const held = rest.endsWith('\r') && options.zero !== true ? '\r' : ''
    const pieces = (held === '' ? rest : rest.slice(0, -1)).split(separator)
    rest = (pieces.pop() ?? '') + held
    for (const text of pieces) {
      if (!skipping) yield { row, text }
      skipping = false
      row++
    }
    if (rest.length > LINE_LIMIT_CHARACTERS) {
      if (!skipping) options.onTooLong?.(row)
      skipping = true
      rest = ''
    }
  }
  rest += decoder.decode()
  for (const text of rest.split(separator)) {
    if (text !== '' && !skipping) yield { row, text }
    row++
  }
}

export function headText(document: SourceDocument): string {
  return new TextDecoder(sniffLineEncoding(document.head)).decode(document.head)
}
