import { createWriteStream, existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { createFolderStore } from '../adapters/folder-store.ts'
import { compileProfile } from '../metadata/compile-profile.ts'
import { tdrProfile } from '../metadata/profile.ts'
import { codes } from '../model/codes.ts'
import { count } from '../model/count.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument } from '../model/source.ts'
import { placeOf } from '../report/words.ts'
import { openDocument } from '../adapters/sealed-document.ts'
import { Refusal } from '../run/decisions.ts'
import { checkMetadataDocument } from '../sources/check-metadata.ts'
import { fixMetadata, type MetadataChange } from '../sources/fix-metadata.ts'
import { recogniseSource } from '../sources/index.ts'
import { explainUnrecognised, markupOf } from '../sources/unrecognised.ts'
import { tdrMetadataCsv } from '../sources/tdr-metadata-csv.ts'
import { xmlHead } from '../sources/xml-head.ts'
import { checkAgainstSchema, XmlSchemaError, type XmlSchema } from '../sources/xml-schema.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import type { Surroundings } from './surroundings.ts'

const SHOWN = 200

/**
 * `wharfinger validate <file>`: what the profile would say of a metadata table or XML, and a schema
 * of XML, before anything is sent. `--fix` writes a corrected copy beside it and never guesses a closure.
 */
export async function validate(
  surroundings: Surroundings,
  path: string,
  options: CommonOptions & {
    readonly fix?: true | undefined
    readonly schema?: string | undefined
  },
): Promise<number> {
  const whole = resolve(surroundings.folder, path)
  if (existsSync(whole) && statSync(whole).isDirectory()) {
    if (options.fix === true || options.schema !== undefined)
      throw new Refusal('--fix and --schema take one file, not a folder')
    return (await import('./validate-folder.ts')).validateFolder(surroundings, whole, options)
  }
  const document = await openFile(whole)
  const findings: Finding[] = []
  let more = 0
  const note = (finding: Finding) => {
    if (findings.length < SHOWN || options.json === true) findings.push(finding)
    else more++
  }
  const known = recogniseSource(document)
  if (known === undefined && markupOf(document) !== undefined) {
    await explainUnrecognised(document, note)
    writeFindings(surroundings, findings, more, options)
    return exitCodes.issues
  }
  const kind = known ?? tdrMetadataCsv
  const schema = schemaFor(surroundings, path, options.schema)
  if (options.fix === true && xmlHead(document) !== undefined)
    throw new Refusal('--fix corrects tables, not XML')
  const result = await checkMetadataDocument(
    document,
    kind,
    { profile: compileProfile(tdrProfile), today: surroundings.now().toISOString().slice(0, 10) },
    note,
  )
  // A schema is only asked about XML that the gate has let through.
  if (schema !== undefined && !findings.some(({ code }) => UNREADABLE.has(code)))
    await checkAgainstSchema(document, readSchema(schema), note).catch((error: unknown) => {
      if (!(error instanceof XmlSchemaError)) throw error
      throw new Refusal(`${schema} is not a schema that can be used: ${error.message}`)
    })
  const { rows, passed, failed } = result
  if (options.json === true) {
    surroundings.out.write(`${JSON.stringify({ rows, passed, failed, findings }, undefined, 2)}\n`)
  } else {
    writeFindings(surroundings, findings, more, options)
    surroundings.out.write(
      `${count(rows, 'row', 'rows')}: ${passed} passed, ${failed} failed (profile ${result.profile.profileId} ${result.profile.profileVersion})\n`,
    )
  }
  if (options.fix === true)
    await writeFixed(document, resolve(surroundings.folder, path), surroundings)
  const sound = findings.every(({ code }) => codes[code].severity !== 'error') && failed === 0
  return sound ? exitCodes.sound : exitCodes.issues
}

function writeFindings(
  { out }: Surroundings,
  findings: readonly Finding[],
  more: number,
  options: CommonOptions,
): void {
  if (options.json === true) {
    out.write(`${JSON.stringify({ findings }, undefined, 2)}\n`)
    return
  }
  for (const finding of findings) {
    const { severity, sentence, howToFix } = codes[finding.code]
    out.write(`${severity}: ${sentence} ${placeOf(finding)}\n    -> ${howToFix}\n`)
  }
  if (more > 0) out.write(`and ${more} more; --json shows all\n`)
}

const UNREADABLE: ReadonlySet<string> = new Set([
  'METADATA.XML_MALFORMED',
  'METADATA.XML_ENCODING',
  'METADATA.XML_ENTITIES',
  'METADATA.XML_LIMIT',
  'METADATA.NOT_UTF8',
])

/** The schema that was named, else the one beside the document: `records.xml`, `records.xsd`. */
function schemaFor(
  surroundings: Surroundings,
  path: string,
  named: string | undefined,
): string | undefined {
  if (named !== undefined) {
    const schema = resolve(surroundings.folder, named)
    if (!existsSync(schema)) throw new Refusal(`there is no schema ${schema}`)
    return schema
  }
  if (!/\.xml$/i.test(path)) return undefined
  const beside = resolve(surroundings.folder, path).replace(/\.xml$/i, '.xsd')
  return existsSync(beside) ? beside : undefined
}

/** With every other schema of its folder, for what it imports. */
function readSchema(path: string): XmlSchema {
  const folder = dirname(path)
  const others = readdirSync(folder).filter((name) => name.endsWith('.xsd'))
  return {
    bytes: readFileSync(path),
    beside: new Map(others.map((name) => [name, readFileSync(join(folder, name))])),
  }
}

async function openFile(path: string): Promise<SourceDocument> {
  const folder = createFolderStore(dirname(path))
  const object = existsSync(path) ? await folder.head(basename(path)) : undefined
  if (object === undefined || object.irregular !== undefined)
    throw new Refusal(`there is no file ${path}`)
  return openDocument(folder, {
    key: object.key,
    sizeBytes: object.sizeBytes,
    etag: object.etag,
    root: '',
  })
}

/** Never over anything: the copy is new, and is taken back where it would hide damage. */
async function writeFixed(
  document: SourceDocument,
  path: string,
  surroundings: Surroundings,
): Promise<void> {
  const copy = join(dirname(path), `${basename(path).replace(/\.csv$/i, '')}.fixed.csv`)
  if (existsSync(copy)) throw new Refusal(`${copy} is there already; move it away first`)
  const changes: MetadataChange[] = []
  const refusals: Finding[] = []
  const pieces: string[] = []
  for await (const piece of fixMetadata(
    document,
    tdrProfile,
    (change) => changes.push(change),
    (finding) => refusals.push(finding),
  ))
    pieces.push(piece)
  const refusal = refusals[0]
  if (refusal !== undefined)
    throw new Refusal(
      `no corrected copy was written, because it would hide this: ${codes[refusal.code].sentence} ${placeOf(refusal)}`,
    )
  const out = createWriteStream(copy, { flags: 'wx' })
  for (const piece of pieces) if (!out.write(piece)) await once(out, 'drain')
  out.end()
  await finished(out)
  for (const { what, place, from, to } of changes.slice(0, SHOWN)) {
    surroundings.out.write(
      `changed ${what}${place.row === undefined ? '' : `, row ${place.row}`}: “${from}” to “${to}”\n`,
    )
  }
  surroundings.out.write(`${count(changes.length, 'change', 'changes')}; the copy is ${copy}\n`)
}
