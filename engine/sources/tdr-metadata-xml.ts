import { normaliseHeader } from '../metadata/columns.ts'
import { tdrProfile, type Profile, type ProfileColumn } from '../metadata/profile.ts'
import type { Place, StatedChecksum } from '../model/checksum.ts'
import type { SourceDocument, SourceKind, Statement } from '../model/source.ts'
import { xmlHeadText } from './xml-decode.ts'
import { textOf, type XmlElement } from './xml-element.ts'
import type { XmlRecord } from './xml-gate.ts'
import { xmlHead, type HeadElement } from './xml-head.ts'
import { statedChecksum, xmlStatements } from './xml-statements.ts'

/**
 * A plain list of records in XML: one repeated element for each file, whose children or attributes
 * are columns of the profile by name (`closure_status`, `closureStatus`, `closure-status` or the
 * property `closure_type`). Other names are mapped by an instruction above the root:
 * `<?wharfinger record="item" filepath="location" closure_status="access"?>`.
 */
export const tdrMetadataXml: SourceKind = {
  id: 'tdr-metadata-xml',
  summary: 'metadata in XML, one element for each file',
  listsAllFiles: true,
  isMetadata: true,
  recognise: (document) => recordShape(document) !== undefined,
  read(document, report) {
    const shape = recordShape(document)
    const columns = new ColumnNames(tdrProfile, shape?.mapping ?? new Map())
    return xmlStatements(
      document,
      ({ name, depth }) => shape !== undefined && name === shape.name && depth === shape.depth,
      (record, place) => toStatement(record, place, columns),
      report,
    )
  },
}

type Shape = {
  readonly name: string
  readonly depth: number
  /** Name in the document by name of the column, normalised. */
  readonly mapping: ReadonlyMap<string, string>
}

const PATH = 'file_path'
const KNOWN_NAMES = 3

/** Which element is the record: the one that the instruction names, else the first with a path. */
function recordShape(document: SourceDocument): Shape | undefined {
  const head = xmlHead(document)
  if (head === undefined) return undefined
  const mapping = readMapping(document)
  const named = mapping.get('record')
  const columns = new ColumnNames(tdrProfile, mapping)
  if (named !== undefined) {
    const element = head.elements.find(({ name, local }) => name === named || local === named)
    return element && { name: element.name, depth: element.depth, mapping }
  }
  const known = new Map<HeadElement, Set<string>>()
  const note = (element: HeadElement | undefined, name: string) => {
    const property = columns.columnOf(name)?.property
    if (element === undefined || property === undefined) return
    known.set(element, (known.get(element) ?? new Set()).add(property))
  }
  for (const element of head.elements) {
    note(element.parent, element.local)
    for (const attribute of element.attributes) note(element, attribute)
  }
  for (const [{ name, depth }, properties] of known) {
    if (properties.has(PATH) || properties.size >= KNOWN_NAMES) return { name, depth, mapping }
  }
  return undefined
}

function readMapping(document: SourceDocument): ReadonlyMap<string, string> {
  const instruction = /<\?wharfinger\s([^?]{0,10000})\?>/.exec(xmlHeadText(document))?.[1] ?? ''
  const pairs = instruction.matchAll(/([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)
  return new Map(
    [...pairs].map(([, column = '', double, single]) => [words(column), double ?? single ?? '']),
  )
}

/** `closureStatus`, `closure-status` and `closure_status` are the header "closure status". */
function words(name: string): string {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/[-.]/g, ' ')
  return normaliseHeader(spaced)
}

class ColumnNames {
  readonly required: readonly ProfileColumn[]
  readonly separator: string
  readonly #byWords = new Map<string, ProfileColumn>()
  readonly #mapped = new Map<string, ProfileColumn>()

  constructor(profile: Profile, mapping: ReadonlyMap<string, string>) {
    this.separator = profile.listSeparator
    const required = new Set(profile.requiredHeaders)
    this.required = profile.columns.filter(({ property }) => required.has(property))
    for (const column of profile.columns) {
      for (const name of [column.property, column.header ?? column.property]) {
        this.#byWords.set(words(name), column)
        const mapped = mapping.get(words(name))
        if (mapped !== undefined) this.#mapped.set(mapped, column)
      }
    }
  }

  columnOf(name: string): ProfileColumn | undefined {
    return (
      this.#mapped.get(name) ?? this.#byWords.get(words(name)) ?? this.#byWords.get(glued(name))
    )
  }
}

/** `filePath` is the header "filepath". */
function glued(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, '')
}

function toStatement(
  { element, line, childLines, path }: XmlRecord,
  place: Place,
  columns: ColumnNames,
): Statement | undefined {
  const fields = new Map<string, string>()
  const places = new Map<string, Place>()
  const note = (name: string, value: string, row: number, at: string) => {
    const column = columns.columnOf(name)
    const key = column?.property ?? name
    const before = fields.get(key)
    // An element for each value of a list is how XML says it.
    const whole = before === undefined ? value : `${before}${columns.separator}${value}`
    fields.set(key, whole)
    if (before === undefined) places.set(key, { ...place, row, columnName: `${path}/${at}` })
  }
  for (const [name, value] of element.attributes) {
    if (!/^xml(?:ns)?(?::|$)|^xsi:/.test(name)) note(name, value, line, `@${name}`)
  }
  let child = 0
  for (const node of element.nodes) {
    if (typeof node === 'string') continue
    const row = childLines[child++] ?? line
    for (const [name, leaf] of leaves(node)) note(name, valueOf(leaf), row, name)
  }
  const written = fields.get(PATH) ?? ''
  if (written === '') return undefined
  // An element that is not there is an empty cell of a table.
  for (const { property } of columns.required) if (!fields.has(property)) fields.set(property, '')
  const checksum = statedChecksum('sha256', fields.get('client_side_checksum') || undefined, place)
  const checksums: StatedChecksum[] = typeof checksum === 'object' ? [checksum] : []
  return {
    place,
    path: written,
    checksums,
    fields: Object.fromEntries(fields),
    fieldPlace: (property) => places.get(property),
  }
}

/** Elements that hold text and no elements, with the names from the record down to them. */
function leaves(
  element: XmlElement,
  above = '',
): readonly (readonly [name: string, leaf: XmlElement])[] {
  const name = above === '' ? element.local : `${above}_${element.local}`
  const inside = element.nodes.filter((node): node is XmlElement => typeof node !== 'string')
  if (inside.length === 0) return [[name, element]]
  return inside.flatMap((node) => leaves(node, name))
}

/** Line breaks around a value come from the program that laid the XML out. */
function valueOf(element: XmlElement): string {
  return textOf(element).replace(/^\s*\n\s*|\s*\n\s*$/g, '')
}
