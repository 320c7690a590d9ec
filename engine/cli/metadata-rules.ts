import { dirname, join } from 'node:path/posix'
import { ConfigError, type EngineConfig, type MetadataRules } from '../config.ts'
import { parseProfile, ProfileError, type Profile } from '../metadata/profile.ts'
import type { FrozenXmlSchema } from '../pool/messages.ts'

const MOST_SCHEMAS = 50

/**
 * The configuration with each drop zone's profile and schema read, as they lie beside it. `read`
 * gives a file by the name that the configuration has for it. Throws one ConfigError for all.
 */
export async function withMetadataRules(
  config: EngineConfig,
  read: (name: string) => Promise<string>,
): Promise<EngineConfig> {
  const problems: string[] = []
  const text = async (zone: string, setting: string, name: string) => {
    try {
      return await read(name)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      problems.push(
        `drop zone \`${zone}\`: \`${setting}\` names ${name}, which cannot be read (${why})`,
      )
      return undefined
    }
  }
  const dropZones = []
  for (const zone of config.dropZones) {
    const { name, files } = zone
    const rules: { profile?: Profile; xmlSchema?: FrozenXmlSchema } = {}
    if (files.profile !== undefined) {
      const json = await text(name, 'profile', files.profile)
      const profile = json === undefined ? undefined : await readProfile(json, name, problems)
      if (profile !== undefined) rules.profile = profile
    }
    if (files.xmlSchema !== undefined) {
      const xsd = await text(name, 'xmlSchema', files.xmlSchema)
      if (xsd !== undefined) {
        const beside = await importedBy(xsd, dirname(files.xmlSchema), (other) =>
          text(name, 'xmlSchema', other),
        )
        rules.xmlSchema = { text: xsd, beside }
        problems.push(...(await schemaProblems(rules.xmlSchema, name)))
      }
    }
    const metadata: MetadataRules = rules
    dropZones.push(Object.keys(rules).length === 0 ? zone : { ...zone, metadata })
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return { ...config, dropZones }
}

async function readProfile(
  json: string,
  zone: string,
  problems: string[],
): Promise<Profile | undefined> {
  // Ajv takes longer to load than all the rest of the command line.
  const { compileProfile } = await import('../metadata/compile-profile.ts')
  try {
    const profile = parseProfile(JSON.parse(json))
    compileProfile(profile)
    return profile
  } catch (error) {
    if (!(error instanceof ProfileError || error instanceof SyntaxError)) throw error
    problems.push(`drop zone \`${zone}\`: ${error.message}`)
    return undefined
  }
}

/** Every schema that one includes or imports by a file name beside it, and what those do in turn. */
async function importedBy(
  xsd: string,
  folder: string,
  read: (name: string) => Promise<string | undefined>,
): Promise<Record<string, string>> {
  const beside: Record<string, string> = {}
  const open = [xsd]
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    for (const [, location = ''] of text.matchAll(/schemaLocation\s*=\s*["']([^"']+)["']/g)) {
      const name = location.slice(location.lastIndexOf('/') + 1)
      if (name in beside || Object.keys(beside).length === MOST_SCHEMAS) continue
      const other = await read(join(folder, name))
      if (other === undefined) continue
      beside[name] = other
      open.push(other)
    }
  }
  return beside
}

/** A schema that cannot be compiled is the configuration's mistake, and is told before a sender's file is. */
async function schemaProblems({ text, beside }: FrozenXmlSchema, zone: string): Promise<string[]> {
  const { checkAgainstSchema, XmlSchemaError } = await import('../sources/xml-schema.ts')
  const bytes = Buffer.from('<anything/>')
  const document = {
    key: 'anything.xml',
    sizeBytes: bytes.byteLength,
    head: bytes,
    async *open() {
      yield bytes
      await Promise.resolve()
    },
  }
  const schema = {
    bytes: Buffer.from(text),
    beside: new Map(Object.entries(beside).map(([name, other]) => [name, Buffer.from(other)])),
  }
  try {
    await checkAgainstSchema(document, schema, () => undefined)
    return []
  } catch (error) {
    if (!(error instanceof XmlSchemaError)) throw error
    return [`drop zone \`${zone}\`: the XML Schema cannot be used: ${error.message}`]
  }
}
