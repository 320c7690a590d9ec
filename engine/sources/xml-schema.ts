import type { Finding } from '../model/finding.ts'
import type { SourceDocument } from '../model/source.ts'

/** libxml2 holds the whole document as a tree of some seven times its size. */
const MAX_BYTES = 50 * 1024 ** 2

export type XmlSchema = {
  readonly bytes: Uint8Array
  /** Schemas that it may include or import, by file name alone. Nothing else is ever opened. */
  readonly beside: ReadonlyMap<string, Uint8Array>
}

/** A schema that cannot be used: the mistake of who configured it, never of the sender. */
export class XmlSchemaError extends Error {
  override readonly name = 'XmlSchemaError'
}

/**
 * Check a document against a schema. The gate has to have let it through before: libxml2 is given
 * no document that declares entities. Throws XmlSchemaError.
 */
export async function checkAgainstSchema(
  document: SourceDocument,
  schema: XmlSchema,
  report: (finding: Finding) => void,
): Promise<void> {
  if (document.sizeBytes > MAX_BYTES) {
    report({
      code: 'METADATA.XML_LIMIT',
      place: { document: document.key },
      value: `${document.sizeBytes} bytes`,
      expected: `at most ${MAX_BYTES} bytes for checking against a schema`,
    })
    return
  }
  const xml = await import('libxml2-wasm')
  const chunks: Uint8Array[] = []
  for await (const chunk of document.open()) chunks.push(chunk.slice())
  const nameOf = (url: string) => url.slice(url.lastIndexOf('/') + 1)
  xml.xmlRegisterInputProvider({
    match: (url) => schema.beside.has(nameOf(url)),
    open: (url) => {
      const bytes = schema.beside.get(nameOf(url))
      return bytes === undefined ? undefined : xml.openBuffer(bytes)
    },
    read: (fd, buffer) => xml.readBuffer(fd, buffer),
    close: (fd) => {
      xml.closeBuffer(fd)
      return true
    },
  })
  const option = xml.ParseOption.XML_PARSE_NONET
  try {
    const validator = (() => {
      try {
        using xsd = xml.XmlDocument.fromBuffer(schema.bytes, { option })
        return xml.XsdValidator.fromDoc(xsd)
      } catch (error) {
        if (error instanceof xml.XmlError) throw new XmlSchemaError(error.message, { cause: error })
        throw error
      }
    })()
    using _validator = validator
    using tree = xml.XmlDocument.fromBuffer(Buffer.concat(chunks), { option })
    validator.validate(tree)
  } catch (error) {
    if (!(error instanceof xml.XmlValidateError || error instanceof xml.XmlParseError)) throw error
    for (const { message, line } of error.details) {
      report({
        code: 'METADATA.XML_SCHEMA',
        place: { document: document.key, row: line },
        detail: explainSchemaError(message),
      })
    }
  } finally {
    xml.xmlCleanupInputProvider()
  }
}

/** What libxml2 says, without namespaces and the language of schemas. */
function explainSchemaError(message: string): string {
  const plain = message
    .replace(/\{[^{}]*\}/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  const element = /^Element '([^']+)'(?:, attribute '([^']+)')?: (.*)$/.exec(plain)
  if (element === null) return plain
  const [, name = '', attribute, what = ''] = element
  const subject = attribute === undefined ? `<${name}>` : `${attribute} of <${name}>`
  const value =
    /^'(.*)' is not a valid value of the (?:local |union )?(?:atomic |list )?type(?: '(?:xs:)?([^']+)')?/.exec(
      what,
    )
  if (value !== null) {
    const type = value[2] === undefined ? '' : ` of the type ${value[2]}`
    return `${subject} has the value "${value[1]}", which is not one${type}.`
  }
  const expected = /Expected is (?:one of )?\( (.*) \)/.exec(what)?.[1]
  if (what.startsWith('This element is not expected')) {
    const instead = expected === undefined ? '' : ` Here can stand: ${expected}.`
    return `${subject} cannot stand here.${instead}`
  }
  if (what.startsWith('Missing child element')) {
    return `${subject} lacks something inside it${expected === undefined ? '' : `: ${expected}`}.`
  }
  const required = /^The attribute '([^']+)' is required/.exec(plain.slice(plain.indexOf(': ') + 2))
  if (required !== null) return `${subject} lacks the attribute ${required[1]}.`
  return `${subject}: ${what}`
}
