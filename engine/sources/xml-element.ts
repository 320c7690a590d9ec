import { XMLParser } from 'fast-xml-parser'

/** One element of a record, with all that is inside it. Values are text, exactly as written. */
export type XmlElement = {
  /** As written, with its prefix. */
  readonly name: string
  readonly local: string
  readonly uri: string
  /** By name as written. */
  readonly attributes: ReadonlyMap<string, string>
  /** Elements and the texts between them, in order. Comments and instructions are left out. */
  readonly nodes: readonly (XmlElement | string)[]
}

/** Namespace by prefix ('' for none), where the element stands. */
export type NamespaceScope = {
  readonly own: Readonly<Record<string, string>>
  readonly outer: NamespaceScope | undefined
}

/** No name begins with it, so that `__proto__` is a key like any other. */
const MARK = '='
const TEXT = '#text'
const ATTRIBUTES = ':@'

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: MARK,
  // Called twice for a self-closing element.
  transformTagName: (name) => (name.startsWith(MARK) ? name : MARK + name),
  textNodeName: TEXT,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  maxNestedTags: 100,
})

/**
 * Build the element that `source` is. The source has to be one well-formed element, bounded in
 * size and depth, without entities of its own: cut out by the gate, which has proved that.
 */
export function buildElement(source: string, scope: NamespaceScope | undefined): XmlElement {
  const built: unknown = parser.parse(hideSpacesInNames(plainMarkup(source)))
  const first: unknown = Array.isArray(built) ? built[0] : undefined
  if (!isNode(first)) throw new Error('a well-formed element could not be built')
  const element = toElement(first, scope)
  if (typeof element === 'string') throw new Error('an element was read as text')
  return element
}

/** Comments and instructions out, CDATA as text: what fast-xml-parser has no exact reading of. */
function plainMarkup(source: string): string {
  if (!source.includes('<!') && !source.includes('<?')) return source
  // In well-formed XML these cannot begin inside an attribute, so that the first match is right.
  return source.replace(
    /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>/g,
    (_markup, text: string | undefined) =>
      text === undefined ? '' : text.replaceAll('&', '&amp;').replaceAll('<', '&lt;'),
  )
}

// XML allows these two in names, where fast-xml-parser takes them for spaces. Control characters
// stand in for them: XML cannot have those.
const SPACES_OF_NAMES = /[\u1680\ufeff]/
const STAND_INS = /[\u0001\u0002]/ // oxlint-disable-line no-control-regex

function hideSpacesInNames(source: string): string {
  if (!SPACES_OF_NAMES.test(source)) return source
  return source.replaceAll('\u1680', '\u0001').replaceAll('\ufeff', '\u0002')
}

function showSpaces(text: string): string {
  if (!STAND_INS.test(text)) return text
  return text.replaceAll('\u0001', '\u1680').replaceAll('\u0002', '\ufeff')
}

type Node = Readonly<Record<string, unknown>>

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null
}

function toElement(node: Node, outer: NamespaceScope | undefined): XmlElement | string {
  const text = node[TEXT]
  if (typeof text === 'string') return decodeReferences(showSpaces(text))
  const key = Object.keys(node).find((one) => one.startsWith(MARK)) ?? MARK
  const attributes = new Map<string, string>()
  const own: Record<string, string> = {}
  const written = node[ATTRIBUTES]
  if (isNode(written)) {
    for (const [marked, value] of Object.entries(written)) {
      const attribute = showSpaces(marked.slice(MARK.length))
      const decoded = attributeValue(String(value))
      attributes.set(attribute, decoded)
      if (attribute === 'xmlns') own[''] = decoded
      else if (attribute.startsWith('xmlns:')) own[attribute.slice('xmlns:'.length)] = decoded
    }
  }
  const scope = Object.keys(own).length === 0 ? outer : { own, outer }
  const name = showSpaces(key.slice(MARK.length))
  const colon = name.indexOf(':')
  const children = node[key]
  const nodes: (XmlElement | string)[] = []
  for (const child of Array.isArray(children) ? children : []) {
    if (isNode(child)) nodes.push(toElement(child, scope))
  }
  return {
    name,
    local: name.slice(colon + 1),
    uri: resolvePrefix(scope, colon === -1 ? '' : name.slice(0, colon)),
    attributes,
    nodes,
  }
}

function resolvePrefix(scope: NamespaceScope | undefined, prefix: string): string {
  for (let at = scope; at !== undefined; at = at.outer) {
    const uri = Object.hasOwn(at.own, prefix) ? at.own[prefix] : undefined
    if (uri !== undefined) return uri
  }
  return ''
}

function attributeValue(raw: string): string {
  return decodeReferences(showSpaces(raw.replace(/[\t\n\r]/g, ' ')))
}

const FIVE: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}

/** The five entities and numbered characters; the gate lets no other reference through. */
function decodeReferences(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(\w+));/g, (all, hex, decimal, name) => {
    if (typeof hex === 'string') return String.fromCodePoint(Number.parseInt(hex, 16))
    if (typeof decimal === 'string') return String.fromCodePoint(Number(decimal))
    return (typeof name === 'string' ? FIVE[name] : undefined) ?? all
  })
}

/** The elements directly inside, of one local name where it is given. */
export function childrenOf(element: XmlElement, local?: string): readonly XmlElement[] {
  return element.nodes.filter(
    (node): node is XmlElement =>
      typeof node !== 'string' && (local === undefined || node.local === local),
  )
}

/** All text inside, however deep. */
export function textOf(element: XmlElement): string {
  return element.nodes.map((node) => (typeof node === 'string' ? node : textOf(node))).join('')
}

/** The text of the first child of that local name, without space around it. */
export function childText(element: XmlElement, local: string): string | undefined {
  const child = childrenOf(element, local)[0]
  return child === undefined ? undefined : textOf(child).trim()
}

/** An attribute by its local name, whatever its prefix. */
export function attributeOf(element: XmlElement, local: string): string | undefined {
  const plain = element.attributes.get(local)
  if (plain !== undefined) return plain
  for (const [name, value] of element.attributes) {
    if (name.endsWith(`:${local}`) && !name.startsWith('xmlns:')) return value
  }
  return undefined
}
