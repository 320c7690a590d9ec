import { SaxesParser, type SaxesTagNS } from 'saxes'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument } from '../model/source.ts'
import { decodeXml, sniffXmlEncoding } from './xml-decode.ts'
import { buildElement, type NamespaceScope, type XmlElement } from './xml-element.ts'
import { explainXmlError } from './xml-words.ts'

/** An element's start tag as the gate meets it. */
export type OpenElement = {
  readonly name: string
  readonly local: string
  readonly uri: string
  /** The root has 1. */
  readonly depth: number
}

/** One element that was asked for, whole. */
export type XmlRecord = {
  readonly element: XmlElement
  /** Line of its start tag. */
  readonly line: number
  /** Line of each element directly inside, in their order. */
  readonly childLines: readonly number[]
  /** Names from the root to the element: `records/record`. */
  readonly path: string
}

/** Far beyond what metadata has; within what can be read safely. */
const limits = {
  depth: 100,
  attributes: 1_000,
  nameCharacters: 1_000,
  /** Of one text, tag, comment or instruction. */
  pieceCharacters: 1024 ** 2,
  recordCharacters: 4 * 1024 ** 2,
  elements: 200_000_000,
} as const

const FIVE = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" } as const

/** Reading goes no further; why was reported. */
class Stop extends Error {}

/**
 * Read an XML document once, in flat memory, and give the elements that `isRecord` wants, whole.
 * Elements inside a wanted one are not asked about.
 *
 * saxes says whether the document is well-formed; nothing is expanded beyond the five entities, no
 * DTD is read and nothing is ever fetched. The first error ends reading and is reported with line
 * and column. fast-xml-parser builds each record from its source text alone.
 */
export async function* readXml(
  document: SourceDocument,
  isRecord: (element: OpenElement) => boolean,
  report: (finding: Finding) => void,
): AsyncGenerator<readonly XmlRecord[]> {
  const encoding = sniffXmlEncoding(document.head)
  const place = { document: document.key }
  if (encoding.kind === 'unreadable') {
    const { declared: value, why: detail } = encoding
    report({ code: 'METADATA.XML_ENCODING', place: { ...place, row: 1 }, value, detail })
    return
  }
  if (encoding.unmarked === true) {
    const value = encoding.label === 'utf-16le' ? 'UTF-16 LE' : 'UTF-16 BE'
    report({ code: 'METADATA.XML_NO_BYTE_ORDER_MARK', place, value })
  }
  const gate = new Gate(document.key, encoding.label, isRecord, report)
  for await (const { text, damaged } of decodeXml(document, encoding)) {
    const going = gate.read(text, damaged === true)
    const records = gate.take()
    if (records.length > 0) yield records
    if (!going) return
  }
  gate.end()
}

type OpenRecord = {
  readonly depth: number
  readonly start: number
  readonly line: number
  readonly childLines: number[]
  readonly path: string
  readonly scope: NamespaceScope | undefined
}

class Gate {
  readonly #document: string
  readonly #isRecord: (element: OpenElement) => boolean
  readonly #report: (finding: Finding) => void
  readonly #saxes = new SaxesParser({
    xmlns: true,
    position: true,
    // A reader of XML 1.0 takes any 1.x for 1.0.
    defaultXMLVersion: '1.0',
    forceXMLVersion: true,
  })
  /** Names of the open elements, from the root. */
  readonly #open: string[] = []
  readonly #scopes: (NamespaceScope | undefined)[] = []
  readonly #damageCode: Finding['code']
  #elements = 0
  #writing = false
  /** Source text that may still be needed, and where in the document it begins. */
  #kept = ''
  #keptFrom = 0
  /** Where the last tag, comment or instruction ended. */
  #settledAt = 0
  #record: OpenRecord | undefined
  #records: XmlRecord[] = []

  constructor(
    document: string,
    label: string,
    isRecord: (element: OpenElement) => boolean,
    report: (finding: Finding) => void,
  ) {
    this.#document = document
    this.#isRecord = isRecord
    this.#report = report
    this.#damageCode = label === 'utf-8' ? 'METADATA.NOT_UTF8' : 'METADATA.XML_ENCODING'
    // As saxes comes, `&constructor;` would be an entity too.
    this.#saxes.ENTITIES = Object.assign(Object.create(null), FIVE)
    const settle = () => this.#settle()
    this.#saxes.on('error', (error) => {
      const { explanation, mayBeEntity } = explainXmlError(error.message)
      const code = 'METADATA.XML_MALFORMED'
      const lone = mayBeEntity ? this.#loneReference() : undefined
      if (lone !== undefined) this.#stop({ code, detail: lone.detail }, lone.at)
      this.#stop({ code, detail: explanation })
    })
    this.#saxes.on('doctype', (doctype) => this.#readDoctype(doctype))
    this.#saxes.on('comment', settle)
    this.#saxes.on('cdata', settle)
    this.#saxes.on('processinginstruction', settle)
    this.#saxes.on('xmldecl', settle)
    this.#saxes.on('opentag', (tag) => this.#openElement(tag))
    this.#saxes.on('closetag', () => this.#closeElement())
  }

  /** False where nothing more is to be read. */
  read(text: string, damaged: boolean): boolean {
    this.#kept += text
    const going = this.#guarded(() => {
      this.#writing = true
      this.#saxes.write(text)
      this.#writing = false
      if (damaged) this.#stop({ code: this.#damageCode })
      this.#checkLength()
      this.#checkRecord()
    })
    this.#forget()
    return going
  }

  end(): void {
    this.#guarded(() => void this.#saxes.close())
  }

  take(): readonly XmlRecord[] {
    const records = this.#records
    this.#records = []
    return records
  }

  #guarded(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      if (error instanceof Stop) return false
      throw error
    }
  }

  /**
   * Report and end: saxes would go on to the errors that follow from this one. The place is where
   * reading is, or so many characters `back`, or the start of a line.
   */
  #stop(
    finding: Pick<Finding, 'code' | 'value' | 'expected' | 'detail'>,
    at: { readonly back?: number; readonly line?: number } = {},
  ): never {
    const column = Math.max(1, this.#column() - (at.back ?? 0))
    const place =
      at.line === undefined ? { row: this.#saxes.line, column: String(column) } : { row: at.line }
    this.#report({ ...finding, place: { document: this.#document, ...place } })
    throw new Stop()
  }

  #settle(): void {
    this.#checkLength()
    this.#settledAt = this.#saxes.position
  }

  /** Characters read so far. saxes counts the last text twice when it is through with it. */
  #position(): number {
    return this.#writing ? this.#saxes.position : this.#keptFrom + this.#kept.length
  }

  #column(): number {
    const lineStart = this.#saxes.position - this.#saxes.columnIndex
    return this.#position() - lineStart
  }

  #checkLength(): void {
    const characters = this.#position() - this.#settledAt
    if (characters > limits.pieceCharacters) {
      this.#limit('a text, tag or comment longer than', limits.pieceCharacters, 'characters')
    }
  }

  #limit(what: string, most: number, unit: string, line?: number): never {
    return this.#stop(
      {
        code: 'METADATA.XML_LIMIT',
        value: `${what} ${most} ${unit}`,
        expected: `at most ${most} ${unit}`,
      },
      line === undefined ? {} : { line },
    )
  }

  /** Declared entities could grow without bound or read files: such a document is not read at all. */
  #readDoctype(doctype: string): void {
    this.#settle()
    const value = doctype.trim().slice(0, 200)
    const declarations = doctype.replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g, '')
    if (/<!ENTITY\s/.test(declarations)) {
      const name = /<!ENTITY\s+(?:%\s+)?([^\s"'>]{1,100})/.exec(declarations)?.[1]
      this.#stop({
        code: 'METADATA.XML_ENTITIES',
        ...(name === undefined ? {} : { value: name }),
      })
    }
    this.#report({
      code: 'METADATA.XML_DOCTYPE',
      place: { document: this.#document, row: this.#saxes.line },
      value,
    })
  }

  #openElement(tag: SaxesTagNS): void {
    this.#settle()
    const depth = this.#open.push(tag.name)
    if (depth > limits.depth) this.#limit('elements nested deeper than', limits.depth, 'levels')
    if (++this.#elements > limits.elements) this.#limit('more than', limits.elements, 'elements')
    if (tag.name.length > limits.nameCharacters) {
      this.#limit('a name longer than', limits.nameCharacters, 'characters')
    }
    let attributes = 0
    let declares = false
    for (const name in tag.attributes) {
      if (name.length > limits.nameCharacters) {
        this.#limit('a name longer than', limits.nameCharacters, 'characters')
      }
      attributes++
      declares ||= name.startsWith('xmlns')
    }
    if (attributes > limits.attributes) {
      this.#limit('an element with more than', limits.attributes, 'attributes')
    }
    const outer = this.#scopes.at(-1)
    this.#scopes.push(declares ? { own: { ...tag.ns }, outer } : outer)
    const record = this.#record
    if (record === undefined) {
      const { name, local, uri } = tag
      if (!this.#isRecord({ name, local, uri, depth })) return
      const start = this.#tagStart()
      this.#record = {
        depth,
        start,
        line: this.#lineOf(start),
        childLines: [],
        path: this.#open.join('/'),
        scope: outer,
      }
    } else if (depth === record.depth + 1) {
      record.childLines.push(this.#lineOf(this.#tagStart()))
    }
  }

  #closeElement(): void {
    this.#settle()
    const depth = this.#open.length
    this.#open.pop()
    this.#scopes.pop()
    const record = this.#record
    if (record === undefined || record.depth !== depth) return
    this.#checkRecord()
    this.#record = undefined
    const { start, line, childLines, path, scope } = record
    const end = this.#saxes.position
    const source = this.#kept.slice(start - this.#keptFrom, end - this.#keptFrom)
    this.#records.push({ element: buildElement(source, scope), line, childLines, path })
  }

  /** Where the tag that was just read begins: `<` cannot stand inside one. */
  #tagStart(): number {
    const end = this.#saxes.position - this.#keptFrom
    return this.#keptFrom + this.#kept.lastIndexOf('<', end - 1)
  }

  #lineOf(start: number): number {
    const tag = this.#kept.slice(start - this.#keptFrom, this.#saxes.position - this.#keptFrom)
    const breaks = /[\r\n]/.test(tag) ? (tag.match(/\r\n?|\n/g)?.length ?? 0) : 0
    return this.#saxes.line - breaks
  }

  #checkRecord(): void {
    const record = this.#record
    if (record === undefined || this.#position() - record.start <= limits.recordCharacters) return
    this.#limit('a record longer than', limits.recordCharacters, 'characters', record.line)
  }

  /** Keep an open record from its start, else what is not settled yet. */
  #forget(): void {
    const from = this.#record?.start ?? this.#settledAt
    this.#kept = this.#kept.slice(from - this.#keptFrom)
    this.#keptFrom = from
  }

  /** The first "&" since what is settled that is none of the references XML has. */
  #loneReference(): { detail: string; at: { back: number } | { line: number } } | undefined {
    const end = this.#position() - this.#keptFrom
    const text = this.#kept.slice(this.#settledAt - this.#keptFrom, end)
    const match = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)([^&;<\s]{1,100};)?/.exec(text)
    if (match === null) return undefined
    const [, name] = match
    const breaks = text.slice(match.index).match(/\r\n?|\n/g)?.length ?? 0
    return {
      detail:
        name === undefined
          ? 'An "&" stands alone. Write "&amp;" for the character itself.'
          : `&${name} is not one of the five entities that XML has. Write the character itself.`,
      at:
        breaks === 0
          ? { back: text.length - match.index - 1 }
          : { line: this.#saxes.line - breaks },
    }
  }
}
