/** What stands before the table in a CSV document, and what separates its cells. */
export type CsvFront = {
  readonly delimiter: string
  /** Characters of the text that are not part of the table. */
  readonly skip: number
  /** Spreadsheet row of the first record after them; Excel shows no row for `sep=`. */
  readonly firstRow: number
}

const DELIMITERS = [',', ';', '\t', '|']
const LINE_END = /\r\n|\n|\r/

/**
 * Read `sep=`, PowerShell's `#TYPE` and SharePoint's `ListSchema=` (on a line of its own, or with
 * the header on the same line), then tell the delimiter. `text` is the document's start without
 * byte order mark. Returns undefined where more text is needed to see the end of a list schema.
 */
export function readCsvFront(text: string, isWhole: boolean): CsvFront | undefined {
  let skip = 0
  let firstRow = 1
  let delimiter: string | undefined
  const separator = /^"?sep=([^\r\n"\w])"?[ \t,;|]*(?:\r\n|\n|\r|$)/i.exec(text)
  if (separator !== null) {
    skip = separator[0].length
    delimiter = separator[1]
  }
  if (text.startsWith('#TYPE', skip)) {
    const length = text.slice(skip).search(LINE_END)
    if (length === -1) return isWhole ? { delimiter: ',', skip: text.length, firstRow } : undefined
    skip += length + (text.startsWith('\r\n', skip + length) ? 2 : 1)
    firstRow++
  }
  if (text.startsWith('ListSchema=', skip)) {
    const end = endOfJson(text, skip + 'ListSchema='.length)
    if (end === undefined) {
      if (!isWhole) return undefined
    } else {
      const own = /^[ \t]*(\r\n|\n|\r|,)?/.exec(text.slice(end, end + 64))
      skip = end + (own?.[0].length ?? 0)
      if (own?.[1] !== undefined && own[1] !== ',') firstRow++
    }
  }
  return { delimiter: delimiter ?? detectDelimiter(text.slice(skip)), skip, firstRow }
}

/** Offset after the JSON object that begins at `from`. */
function endOfJson(text: string, from: number): number | undefined {
  let depth = 0
  let quoted = false
  for (let i = from; i < text.length; i++) {
    const character = text[i]
    if (quoted) {
      if (character === '\\') i++
      else if (character === '"') quoted = false
    } else if (character === '"') quoted = true
    else if (character === '{') depth++
    else if (character === '}' && --depth === 0) return i + 1
  }
  return undefined
}

/** The character that cuts the first line into most cells; where two do, the one later lines agree with. */
function detectDelimiter(text: string): string {
  const lines = firstLines(text, 10)
  const [header = '', ...others] = lines
  let best = ','
  let bestScore = 0
  for (const delimiter of DELIMITERS) {
    const cells = countOutsideQuotes(header, delimiter)
    const agreeing = others.filter((line) => countOutsideQuotes(line, delimiter) === cells).length
    const score = cells + agreeing / (others.length + 1)
    if (cells > 0 && score > bestScore) {
      best = delimiter
      bestScore = score
    }
  }
  return best
}

/** The first lines that are not empty, line ends inside quotes not counting. */
function firstLines(text: string, count: number): string[] {
  const lines: string[] = []
  let start = 0
  let quoted = false
  const limit = Math.min(text.length, 64 * 1024)
  for (let i = 0; i < limit && lines.length < count; i++) {
    const character = text[i]
    if (character === '"') quoted = !quoted
    else if (!quoted && (character === '\n' || character === '\r')) {
      if (i > start) lines.push(text.slice(start, i))
      start = i + 1
    }
  }
  if (lines.length < count && start < limit) lines.push(text.slice(start, limit))
  return lines
}

function countOutsideQuotes(line: string, delimiter: string): number {
  let count = 0
  let quoted = false
  for (const character of line) {
    if (character === '"') quoted = !quoted
    else if (character === delimiter && !quoted) count++
  }
  return count
}
