import { SaxesParser } from 'saxes'
import type { SourceDocument } from '../model/source.ts'
import { xmlHeadText } from './xml-decode.ts'

export type HeadElement = {
  readonly name: string
  readonly local: string
  readonly uri: string
  readonly depth: number
  readonly attributes: readonly string[]
  /** Its parent in the list; undefined for the root. */
  readonly parent: HeadElement | undefined
}

export type XmlHead = {
  readonly root: HeadElement
  readonly elements: readonly HeadElement[]
}

const MAX_ELEMENTS = 2_000
const heads = new WeakMap<Uint8Array, { readonly head: XmlHead | undefined }>()

class Enough extends Error {}

/** The elements that begin in the document's head, for telling kinds apart; undefined for no XML. */
export function xmlHead(document: SourceDocument): XmlHead | undefined {
  const known = heads.get(document.head)
  if (known !== undefined) return known.head
  const head = readHead(document)
  heads.set(document.head, { head })
  return head
}

function readHead(document: SourceDocument): XmlHead | undefined {
  const text = xmlHeadText(document)
  if (!/^\s*<[?!\p{L}_]/u.test(text)) return undefined
  const elements: HeadElement[] = []
  const open: HeadElement[] = []
  const saxes = new SaxesParser({ xmlns: true, position: false })
  saxes.on('error', () => {
    throw new Enough()
  })
  saxes.on('opentag', ({ name, local, uri, attributes }) => {
    const parent = open.at(-1)
    const depth = open.length + 1
    const element = { name, local, uri, depth, attributes: Object.keys(attributes), parent }
    elements.push(element)
    open.push(element)
    if (elements.length >= MAX_ELEMENTS || open.length > 100) throw new Enough()
  })
  saxes.on('closetag', () => void open.pop())
  try {
    saxes.write(text.trimStart())
  } catch (error) {
    // The gate says what is wrong, when the document is read.
    if (!(error instanceof Enough)) throw error
  }
  const root = elements[0]
  return root === undefined ? undefined : { root, elements }
}
