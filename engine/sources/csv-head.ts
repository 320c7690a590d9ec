import { parse } from 'csv-parse/sync'
import type { SourceDocument } from '../model/source.ts'
import { readCsvFront } from './csv-front.ts'
import { foreignFormat } from './csv-table.ts'
import { sniffEncoding } from './decode.ts'

const HEADER_ROWS = 10
const HEAD_CHARACTERS = 16 * 1024

/** The first rows of what may be a CSV document, to tell it by its header; none for anything else. */
export function firstRows(document: SourceDocument): string[][] {
  if (foreignFormat(document.head) !== undefined) return []
  const { encoding, bomBytes } = sniffEncoding(document.head)
  const decoder = new TextDecoder(encoding)
  const text = decoder.decode(document.head.subarray(bomBytes), { stream: true })
  const front = readCsvFront(text, true)
  if (front === undefined) return []
  try {
    return parse(text.slice(front.skip, front.skip + HEAD_CHARACTERS), {
      delimiter: front.delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      quote: null,
      to: HEADER_ROWS,
    }).map((names) => names.map(unquote))
  } catch (error) {
    // A head that csv-parse cannot read is no header of ours.
    if (error instanceof Error && 'code' in error) return []
    throw error
  }
}

function unquote(name: string): string {
  return name.startsWith('"') && name.endsWith('"') ? name.slice(1, -1) : name
}
