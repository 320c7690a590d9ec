import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { createFolderStore } from '../adapters/folder-store.ts'
import { compileProfile } from '../metadata/compile-profile.ts'
import { tdrProfile } from '../metadata/profile.ts'
import { codes, type FindingCode } from '../model/codes.ts'
import { count } from '../model/count.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument, SourceKind } from '../model/source.ts'
import { placeOf } from '../report/words.ts'
import { openDocument } from '../adapters/sealed-document.ts'
import { StoreError } from '../adapters/store.ts'
import { Refusal } from '../run/decisions.ts'
import { checkMetadataDocument } from '../sources/check-metadata.ts'
import { checkSidecar } from '../sources/check-sidecar.ts'
import { recogniseSource } from '../sources/index.ts'
import { explainUnrecognised, markupOf } from '../sources/unrecognised.ts'
import { tdrMetadataCsv } from '../sources/tdr-metadata-csv.ts'
import { isSidecar, readSidecar } from '../sources/tdr-sidecar.ts'
import { xmlHead } from '../sources/xml-head.ts'
import { checkAgainstSchema, XmlSchemaError, type XmlSchema } from '../sources/xml-schema.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import type { Surroundings } from './surroundings.ts'
import { fixFile, fixedInWords } from './validate-fix.ts'

const SHOWN = 200

/**
 * `wharfinger validate <file>`: what the profile would say of a metadata table, XML or sidecar,
 * and a schema of XML, before anything is sent. `--fix` writes a corrected copy of a table beside it
 * and never guesses a closure.
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
  const kind = recogniseSource(document)
  if (options.fix === true) refuseToFix(document, kind)
  const schema = schemaFor(surroundings, whole, options.schema)
  if (options.schema !== undefined && xmlHead(document) === undefined)
    throw new Refusal('--schema is for XML, which this file is not')
  const findings: Finding[] = []
  const codesFound = new Set<FindingCode>()
  let more = 0
  const note = (finding: Finding) => {
    codesFound.add(finding.code)
    if (findings.length < SHOWN || options.json === true) findings.push(finding)
    else more++
  }
  const today = surroundings.now().toISOString().slice(0, 10)
  const judged = await judge(document, kind, today, note)
  // A schema is only asked about XML that the gate has let through.
  if (schema !== undefined && ![...codesFound].some((code) => UNREADABLE.has(code)))
    await checkAgainstSchema(document, readSchema(schema), note).catch((error: unknown) => {
      if (!(error instanceof XmlSchemaError)) throw error
      throw new Refusal(`${schema} is not a schema that can be used: ${error.message}`)
    })
  if (options.json !== true) writeJudged(surroundings, judged, findings, more)
  const fixed = options.fix === true ? await fixFile(document, whole) : undefined
  if (options.json === true) {
    const { rows, passed, failed, list } = judged
    const shown = {
      rows,
      passed,
      failed,
      ...(list === undefined ? {} : { list }),
      findings,
      ...(fixed === undefined ? {} : { fixed }),
    }
    surroundings.out.write(`${JSON.stringify(shown, undefined, 2)}\n`)
  } else if (fixed !== undefined) surroundings.out.write(fixedInWords(fixed))
  return judged.usable && [...codesFound].every(isNoError) && judged.failed === 0
    ? exitCodes.sound
    : exitCodes.issues
}

type Judged = {
  readonly rows: number
  readonly passed: number
  readonly failed: number
  /** What the rows were checked against; undefined where there were none to check. */
  readonly by?: string
  /** For a list of files, which has no rows of metadata: what it was taken for, and how many it names. */
  readonly list?: { readonly summary: string; readonly files: number }
  /** False for a document of no kind that can be read. */
  readonly usable: boolean
}

async function judge(
  document: SourceDocument,
  kind: SourceKind | undefined,
  today: string,
  note: (finding: Finding) => void,
): Promise<Judged> {
  if (kind === undefined && isSidecar(document)) return judgeSidecar(document, today, note)
  if (kind === undefined && markupOf(document) !== undefined) {
    await explainUnrecognised(document, note)
    return { rows: 0, passed: 0, failed: 0, usable: false }
  }
  if (kind !== undefined && kind.isMetadata !== true) {
    let files = 0
    for await (const _statement of kind.read(document, note)) files++
    const list = { summary: kind.summary, files }
    return { rows: 0, passed: 0, failed: 0, usable: true, list }
  }
  const { rows, passed, failed, profile } = await checkMetadataDocument(
    document,
    kind ?? tdrMetadataCsv,
    { profile: compileProfile(tdrProfile), today },
    note,
  )
  return {
    rows,
    passed,
    failed,
    usable: true,
    by: `${profile.profileId} ${profile.profileVersion}`,
  }
}

async function judgeSidecar(
  document: SourceDocument,
  today: string,
  note: (finding: Finding) => void,
): Promise<Judged> {
  const found: Finding[] = []
  const keep = (finding: Finding) => found.push(finding)
  const pieces: Uint8Array[] = []
  for await (const piece of document.open()) pieces.push(Buffer.from(piece))
  const statement = readSidecar(Buffer.concat(pieces), document.key, keep)
  if (statement !== undefined) checkSidecar(statement, today, keep)
  found.forEach(note)
  const passed = found.every(({ code }) => isNoError(code)) ? 1 : 0
  const by = `${tdrProfile.id} ${tdrProfile.version}`
  return { rows: 1, passed, failed: 1 - passed, usable: true, by }
}

function isNoError(code: FindingCode): boolean {
  return codes[code].severity !== 'error'
}

function refuseToFix(document: SourceDocument, kind: SourceKind | undefined): void {
  if (xmlHead(document) !== undefined) throw new Refusal('--fix corrects tables, not XML')
  if (kind !== undefined && kind.id !== tdrMetadataCsv.id)
    throw new Refusal(`--fix corrects metadata tables; this is ${kind.summary}`)
  if (markupOf(document) !== undefined) throw new Refusal('--fix corrects tables, not JSON')
}

function writeJudged(
  { out }: Surroundings,
  { rows, passed, failed, by, list }: Judged,
  findings: readonly Finding[],
  more: number,
): void {
  for (const finding of findings) {
    const { severity, sentence, howToFix } = codes[finding.code]
    out.write(`${severity}: ${sentence} ${placeOf(finding)}\n    -> ${howToFix}\n`)
  }
  if (more > 0) out.write(`and ${more} more; --json shows all\n`)
  if (list !== undefined)
    out.write(
      `Taken for ${list.summary}: ${count(list.files, 'file', 'files')} named, no metadata to check.\n`,
    )
  if (by === undefined) return
  out.write(`${count(rows, 'row', 'rows')}: ${passed} passed, ${failed} failed (profile ${by})\n`)
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
    if (!isFile(schema)) throw new Refusal(`there is no schema ${schema}`)
    return schema
  }
  if (!/\.xml$/i.test(path)) return undefined
  const beside = path.replace(/\.xml$/i, '.xsd')
  return isFile(beside) ? beside : undefined
}

/** With every other schema of its folder, for what it imports. */
function readSchema(path: string): XmlSchema {
  const folder = dirname(path)
  const others = readdirSync(folder).filter(
    (name) => name.endsWith('.xsd') && isFile(join(folder, name)),
  )
  return {
    bytes: readFileSync(path),
    beside: new Map(others.map((name) => [name, readFileSync(join(folder, name))])),
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

async function openFile(path: string): Promise<SourceDocument> {
  try {
    const folder = createFolderStore(dirname(path))
    const object = existsSync(path) ? await folder.head(basename(path)) : undefined
    if (object === undefined || object.irregular !== undefined)
      throw new Refusal(`there is no file ${path}`)
    const { key, sizeBytes, etag } = object
    return await openDocument(folder, { key, sizeBytes, etag, root: '' })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    throw new Refusal(`${path} cannot be read (${error.reason})`)
  }
}
