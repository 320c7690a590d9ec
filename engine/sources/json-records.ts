import { Tokenizer, TokenParser, TokenType } from '@streamparser/json'
import type { Finding } from '../model/finding.ts'
import type { FieldValue, SourceDocument } from '../model/source.ts'
import { decodeToUtf8, sniffEncoding } from './decode.ts'
import { asManifest } from './manifest-report.ts'

/** A JSON object without a prototype: `__proto__` is a name like any other. */
export type JsonObject = { readonly [name: string]: JsonValue }
export type JsonValue = string | number | boolean | null | JsonObject | readonly JsonValue[]

export type JsonRecord = {
  readonly value: JsonObject
  /** The line it begins on. */
  readonly row: number
}

const MAX_DEPTH = 100
const SCALARS: ReadonlySet<TokenType> = new Set([
  TokenType.STRING,
  TokenType.NUMBER,
  TokenType.TRUE,
  TokenType.FALSE,
  TokenType.NULL,
])
const MAX_RECORD_CHARACTERS = 1_000_000
const TOO_LARGE = 'One entry is larger than a million characters.'

/**
 * The objects of a JSON document, one at a time and in flat memory: those of a list at the top,
 * of the lists called `lists` in an object at the top, or objects one after another (JSON lines).
 * A name that comes twice in one object is reported, and the last one counts, as everywhere.
 * Broken JSON is one finding with its line; what came before it is used.
 */
export async function* readJsonRecords(
  document: SourceDocument,
  lists: ReadonlySet<string>,
  report: (finding: Finding) => void,
): AsyncGenerator<JsonRecord> {
  const reader = new RecordReader(document.key, lists, report)
  try {
    for await (const bytes of decodeToUtf8(document, asManifest(report))) {
      reader.write(bytes)
      yield* reader.take()
    }
    reader.end()
    yield* reader.take()
  } catch (error) {
    if (!(error instanceof JsonStopped)) throw error
    yield* reader.take()
    report({
      code: 'SOURCE.JSON_INVALID',
      place: { document: document.key, row: reader.row },
      detail: error.message,
    })
  }
}

/** The first record in a document's head, to tell what it is; undefined where there is none. */
export function firstJsonRecord(
  { head }: SourceDocument,
  lists: ReadonlySet<string>,
): JsonObject | undefined {
  const { encoding, bomBytes } = sniffEncoding(head)
  const text = new TextDecoder(encoding).decode(head.subarray(bomBytes), { stream: true })
  if (!/^\s*[[{]/.test(text)) return undefined
  const reader = new RecordReader('', lists, () => {})
  try {
    reader.write(Buffer.from(text))
  } catch (error) {
    if (!(error instanceof JsonStopped)) throw error
  }
  return reader.take()[0]?.value
}

/** Names that come twice in one object of a short document; findings say where. */
export function duplicateNames(
  text: string,
): readonly { readonly name: string; readonly row: number }[] {
  const found: { name: string; row: number }[] = []
  const reader = new RecordReader('', new Set(), ({ value = '', place }) =>
    found.push({ name: value, row: place?.row ?? 1 }),
  )
  try {
    reader.write(Buffer.from(text))
    reader.end()
  } catch (error) {
    if (!(error instanceof JsonStopped)) throw error
  }
  return found
}

/** The document is broken, or more than we take; the message says how. */
class JsonStopped extends Error {}

type Open =
  | { readonly kind: 'object'; readonly value: Record<string, JsonValue>; name?: string }
  | { readonly kind: 'list'; readonly value: JsonValue[] }

class RecordReader {
  row = 1
  readonly #document: string
  readonly #lists: ReadonlySet<string>
  readonly #report: (finding: Finding) => void
  readonly #tokenizer = new Tokenizer({ separator: '' })
  /** Knows the grammar; what it would build is thrown away. */
  readonly #grammar = new TokenParser({ separator: '', paths: ['$.never'] })
  readonly #open: Open[] = []
  #ready: JsonRecord[] = []
  /** Depth at which the record in progress was opened. */
  #recordDepth: number | undefined
  #recordRow = 1
  #recordCharacters = 0
  /** Depth of the wanted list that is open, whose objects are the records. */
  #listDepth: number | undefined
  #lastToken = 0
  #bytes: Uint8Array = new Uint8Array()
  #bytesStart = 0
  #counted = 0

  constructor(document: string, lists: ReadonlySet<string>, report: (finding: Finding) => void) {
    this.#document = document
    this.#lists = lists
    this.#report = report
    const stop = (error: Error) => {
      throw new JsonStopped(error.message.replace(/^.*?(?=[A-Z])/s, ''))
    }
    this.#grammar.onError = stop
    this.#grammar.onValue = () => {}
    this.#tokenizer.onError = stop
    this.#tokenizer.onToken = (token) => {
      this.#countLines(token.offset)
      this.#lastToken = token.offset
      this.#grammar.write(token)
      this.#take(token.token, token.value)
    }
  }

  write(bytes: Uint8Array): void {
    this.#bytesStart += this.#bytes.length
    this.#bytes = bytes
    this.#tokenizer.write(bytes)
    const end = this.#bytesStart + bytes.length
    this.#countLines(end)
    // A text that goes on and on is held by the tokenizer until it ends.
    if (end - this.#lastToken > 4 * MAX_RECORD_CHARACTERS) throw new JsonStopped(TOO_LARGE)
  }

  end(): void {
    if (!this.#tokenizer.isEnded) this.#tokenizer.end()
    if (this.#open.length > 0) throw new JsonStopped('The document ends in the middle.')
  }

  take(): JsonRecord[] {
    const ready = this.#ready
    this.#ready = []
    return ready
  }

  #countLines(offset: number): void {
    const to = Math.min(offset - this.#bytesStart, this.#bytes.length)
    for (let at = this.#counted - this.#bytesStart; at < to; at++)
      if (at >= 0 && this.#bytes[at] === 0x0a) this.row++
    this.#counted = Math.max(this.#counted, offset)
  }

  #take(token: TokenType, value: unknown): void {
    if (token === TokenType.LEFT_BRACE)
      this.#begin({ kind: 'object', value: Object.create(null) as Record<string, JsonValue> })
    else if (token === TokenType.LEFT_BRACKET) this.#begin({ kind: 'list', value: [] })
    else if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) this.#close()
    else if (SCALARS.has(token)) this.#scalar(value as string | number | boolean | null)
  }

  #begin(one: Open): void {
    if (this.#open.length >= MAX_DEPTH)
      throw new JsonStopped(`It is nested more than ${MAX_DEPTH} levels deep.`)
    const depth = this.#open.length
    if (one.kind === 'object' && this.#recordDepth === undefined && this.#isRecordAt(depth)) {
      this.#recordDepth = depth
      this.#recordRow = this.row
      this.#recordCharacters = 0
    }
    if (one.kind === 'list' && this.#isWantedList()) {
      this.#listDepth = depth
      // The object around it is a page, not a record.
      this.#recordDepth = undefined
    } else this.#count(8)
    this.#open.push(one)
  }

  /** At the top, in a list at the top, or in one of the wanted lists of such an object. */
  #isRecordAt(depth: number): boolean {
    if (this.#listDepth !== undefined) return depth === this.#listDepth + 1
    return depth === 0 || (depth === 1 && this.#open[0]?.kind === 'list')
  }

  #isWantedList(): boolean {
    const holder = this.#open.at(-1)
    return (
      this.#recordDepth === this.#open.length - 1 &&
      holder?.kind === 'object' &&
      holder.name !== undefined &&
      this.#lists.has(holder.name)
    )
  }

  #count(characters: number): void {
    if (this.#recordDepth === undefined) return
    this.#recordCharacters += characters
    if (this.#recordCharacters > MAX_RECORD_CHARACTERS) throw new JsonStopped(TOO_LARGE)
  }

  #close(): void {
    const closed = this.#open.pop()
    if (closed === undefined) return
    const depth = this.#open.length
    if (this.#recordDepth === depth && closed.kind === 'object') {
      this.#recordDepth = undefined
      this.#ready.push({ value: closed.value, row: this.#recordRow })
    } else if (this.#recordDepth !== undefined) this.#put(closed.value)
    else this.#named()
    if (depth === this.#listDepth) this.#listDepth = undefined
  }

  #scalar(value: string | number | boolean | null): void {
    const top = this.#open.at(-1)
    if (top?.kind === 'object' && top.name === undefined) {
      const name = String(value)
      if (Object.hasOwn(top.value, name))
        this.#report({
          code: 'SOURCE.JSON_NAME_TWICE',
          place: { document: this.#document, row: this.row },
          value: name,
        })
      this.#count(name.length + 8)
      top.name = name
      // Kept also outside records, so that a name that comes twice is found there too.
      top.value[name] = null
      return
    }
    this.#count(typeof value === 'string' ? value.length + 8 : 8)
    this.#put(value)
  }

  #put(value: JsonValue): void {
    const top = this.#open.at(-1)
    if (top?.kind === 'object' && top.name !== undefined) {
      if (this.#recordDepth !== undefined) top.value[top.name] = value
      this.#named()
    } else if (top?.kind === 'list' && this.#recordDepth !== undefined) top.value.push(value)
  }

  /** The value of the current name is there. */
  #named(): void {
    const top = this.#open.at(-1)
    if (top?.kind === 'object') delete top.name
  }
}

/** A text or number of an object, by its exact name. */
export function textOf(object: JsonObject, name: string): string | undefined {
  const value = object[name]
  if (typeof value === 'string') return value
  return typeof value === 'number' ? String(value) : undefined
}

export function objectOf(object: JsonObject, name: string): JsonObject | undefined {
  const value = object[name]
  return typeof value === 'object' && value !== null && !isList(value) ? value : undefined
}

function isList(value: JsonObject | readonly JsonValue[]): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** The plain values of an object, as fields of a statement. */
export function fieldsOf(object: JsonObject): Record<string, FieldValue> {
  return Object.fromEntries(
    Object.entries(object).filter(
      (entry): entry is [string, string | number | boolean | null] =>
        typeof entry[1] !== 'object' || entry[1] === null,
    ),
  )
}
