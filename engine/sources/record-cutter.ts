const QUOTE = 0x22
const CR = 0x0d
const LF = 0x0a

/** Bytes of whole records, in order. `broken` ones hold one line that no CSV reader can tokenise. */
export type Piece =
  | { readonly kind: 'records'; readonly bytes: Buffer }
  | {
      readonly kind: 'broken'
      readonly bytes: Buffer
      readonly problem: 'quote not closed' | 'text after quote'
      /** Offset in `bytes` of the quote that opened the field. */
      readonly openedAt: number
    }
  | { readonly kind: 'too long'; readonly bytes: Buffer }

/** A closing quote further away than this belongs to another field: cells hold 8,000 characters. */
const MAX_FIELD_LINES = 500
/** A record is held whole until its end is seen; a longer one is passed over, unread. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024
/** Reading a stretch again after a run-away quote costs time, so a document gets this many. */
const MAX_RUNAWAYS = 100

/**
 * Cuts a stream of CSV bytes at ends of records, so that a tokeniser can be fed by the block, and
 * takes out records whose quoting is broken before they swallow what follows.
 *
 * A quote runs away when its field ends in the middle of a later line, is longer than any cell, or
 * never ends. The line it opened on is then a broken record and reading goes on with the next.
 */
export class RecordCutter {
  readonly #delimiter: number
  #held: Buffer = Buffer.alloc(0)
  /** Offsets in `#held`. */
  #at = 0
  #open = -1
  #recordStart = 0
  /** Line ends in the open field, up to offset `counted`. */
  #field = { lines: 0, counted: 0 }
  #runaways = 0
  /** Set while the rest of a record that is too long is passed over, up to a line end. */
  #passingOver = false

  constructor(delimiter: string) {
    this.#delimiter = delimiter.charCodeAt(0)
  }

  /** The pieces that are complete now. With `last`, all that is left. */
  *push(chunk: Buffer, last = false): Generator<Piece> {
    const buf = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    let from = 0
    let lastClose = this.#at
    let recordStart = this.#recordStart
    let open = this.#open
    let at = this.#at
    let { lines, counted } = this.#field
    if (this.#passingOver) {
      const end = lineEndAfter(buf, 0, last)
      if (end === -1) {
        this.#held = Buffer.alloc(0)
        return
      }
      this.#passingOver = false
      from = at = lastClose = recordStart = end
    }
    for (;;) {
      const quote = buf.indexOf(QUOTE, at)
      if (open === -1) {
        if (quote === -1) {
          at = Math.max(at, buf[buf.length - 1] === CR ? buf.length - 1 : buf.length)
          break
        }
        const before = quote === 0 ? LF : (buf[quote - 1] ?? LF)
        recordStart = recordStartBefore(buf, quote, lastClose) ?? recordStart
        at = quote + 1
        if (before === LF || before === CR || before === this.#delimiter || quote === recordStart) {
          open = counted = quote
          lines = 0
        }
        continue
      }
      const end = quote === -1 ? buf.length : quote
      const oneLine = this.#runaways >= MAX_RUNAWAYS
      if (end - open > MAX_FIELD_LINES || oneLine) {
        lines += countLineEnds(buf, counted, end)
        counted = end
      }
      const ranAway = lines > (oneLine ? 0 : MAX_FIELD_LINES)
      const next = quote === -1 ? -1 : (buf[quote + 1] ?? -1)
      if (!ranAway && quote === -1 && !last) {
        at = buf.length
        break
      }
      if (!ranAway && quote !== -1) {
        if (next === -1 && !last) {
          at = quote
          break
        }
        if (next === QUOTE) {
          at = quote + 2
          continue
        }
        if (next === this.#delimiter || next === CR || next === LF || next === -1) {
          open = -1
          at = lastClose = quote + 1
          continue
        }
      }
      const firstEnd = lineEndAfter(buf, open, last)
      const sameLine = !ranAway && quote !== -1 && (firstEnd === -1 || firstEnd > quote)
      const stop = firstEnd === -1 ? buf.length : firstEnd
      if (sameLine && firstEnd === -1 && !last) {
        at = quote
        break
      }
      if (recordStart > from) yield { kind: 'records', bytes: buf.subarray(from, recordStart) }
      yield {
        kind: 'broken',
        bytes: buf.subarray(recordStart, stop),
        problem: sameLine ? 'text after quote' : 'quote not closed',
        openedAt: open - recordStart,
      }
      if (!sameLine) this.#runaways++
      from = at = lastClose = recordStart = stop
      open = -1
    }
    let cut: number
    if (last) cut = buf.length
    else if (open === -1) cut = recordStartBefore(buf, buf.length, lastClose) ?? recordStart
    else cut = recordStart
    if (cut > from) yield { kind: 'records', bytes: buf.subarray(from, cut) }
    if (buf.length - cut > MAX_RECORD_BYTES) {
      yield { kind: 'too long', bytes: buf.subarray(cut, cut + 1024) }
      this.#passingOver = true
      this.#held = Buffer.alloc(0)
      this.#at = this.#recordStart = 0
      this.#open = -1
      return
    }
    this.#held = buf.subarray(cut)
    this.#at = Math.max(0, at - cut)
    this.#field = { lines, counted: counted - cut }
    this.#open = open === -1 ? -1 : open - cut
    this.#recordStart = 0
  }
}

/** Where the record that `position` lies in begins, if a line ends between `from` and it. */
function recordStartBefore(buf: Buffer, position: number, from: number): number | undefined {
  for (let i = position - 1; i >= from; i--) {
    const byte = buf[i]
    if (byte === LF) return i + 1
    // A CR at the very end may be half of a CR LF.
    if (byte === CR && i + 1 < buf.length) return i + 1
  }
  return undefined
}

/** Offset after the first line end at or after `from`, -1 when there is none yet. */
function lineEndAfter(buf: Buffer, from: number, last: boolean): number {
  for (let i = from; i < buf.length; i++) {
    if (buf[i] === LF) return i + 1
    if (buf[i] === CR) {
      if (i + 1 === buf.length) return last ? i + 1 : -1
      return buf[i + 1] === LF ? i + 2 : i + 1
    }
  }
  return -1
}

function countLineEnds(buf: Buffer, from: number, to: number): number {
  let count = 0
  for (let i = from; i < to; i++) {
    if (buf[i] === LF || (buf[i] === CR && buf[i + 1] !== LF)) count++
  }
  return count
}
