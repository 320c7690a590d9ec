import { openDocument, type SealedDocument } from '../adapters/sealed-document.ts'
import type { Store } from '../adapters/store.ts'
import { applyRule, chooseRule, type PathRule } from '../flow/manifest-paths.ts'
import type { Claimed } from '../flow/match.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceRow } from '../model/outcome.ts'
import type { SourceKind, Statement } from '../model/source.ts'
import type { ExternalSort } from '../scratch/external-sort.ts'
import { recogniseSource, sourceKinds } from '../sources/index.ts'
import type { OpenBag } from './bags.ts'
import type { ListingIndex } from './listing-index.ts'
import type { PartWriter } from './parts.ts'

const SAMPLES_PER_DOCUMENT = 20

/** Every document that was read, and what the report says of it. */
export type ReadDocuments = {
  readonly sealed: readonly {
    document: SealedDocument
    kind: { listsAllFiles: boolean; rows: boolean } | undefined
  }[]
  readonly sources: readonly SourceRow[]
}

/** Read every document once; each statement becomes a claim about one path. */
export async function readDocuments(
  documents: readonly SealedDocument[],
  into: {
    readonly claims: ExternalSort
    readonly notes: PartWriter<Finding>
    readonly zoneStore: Store
    readonly index: ListingIndex
    readonly topFolder: string | undefined
    readonly bags: readonly OpenBag[]
    readonly removed: ReadonlySet<string>
  },
): Promise<ReadDocuments> {
  const sealed: {
    document: SealedDocument
    kind: { listsAllFiles: boolean; rows: boolean } | undefined
  }[] = []
  const sources: SourceRow[] = []
  for (const listed of documents) {
    const bag = into.bags.find((one) => one.holds(listed.key))
    const document = {
      ...(await openDocument(into.zoneStore, listed)),
      ...(bag === undefined ? {} : { bag: bag.declaration }),
    }
    const kind =
      listed.kind === undefined
        ? recogniseSource(document)
        : sourceKinds.find(({ id }) => id === listed.kind)
    if (kind === undefined) {
      await into.notes.add({ code: 'MANIFEST.NOT_RECOGNISED', place: { document: listed.key } })
      sealed.push({ document: listed, kind: undefined })
      sources.push({
        document: listed.key,
        kind: 'not recognised',
        summary: 'a document of no kind that can be read',
        statements: 0,
        unreadable: 0,
      })
      continue
    }
    const counted = await readStatements(kind, document, listed.generation, into, bag?.rule)
    sealed.push({
      document: { ...listed, kind: kind.id, rows: counted.rows },
      kind: { listsAllFiles: kind.listsAllFiles && counted.statements > 0, rows: counted.rows },
    })
    sources.push({
      document: listed.key,
      kind: kind.id,
      summary: kind.summary,
      statements: counted.statements,
      unreadable: counted.unreadable,
    })
  }
  return { sealed, sources }
}

async function readStatements(
  kind: SourceKind,
  document: Awaited<ReturnType<typeof openDocument>>,
  generation: number,
  into: Parameters<typeof readDocuments>[1],
  known?: PathRule,
): Promise<{ statements: number; unreadable: number; rows: boolean }> {
  const problems: Finding[] = []
  let statements = 0
  let unreadable = 0
  let rows = false
  let rule: PathRule | undefined = known
  const held: Statement[] = []
  const flushProblems = async () => {
    unreadable += problems.length
    for (const finding of problems.splice(0)) await into.notes.add(finding)
  }
  const use = async (statement: Statement, chosen: PathRule) => {
    const target = applyRule(chosen, statement.path)
    if (target === undefined) {
      await into.notes.add({
        code: 'MANIFEST.PATH_UNSAFE',
        place: statement.place,
        value: statement.path,
      })
      return
    }
    if (into.removed.has(target)) return
    const claim: Claimed = {
      target,
      writtenPath: statement.path,
      place: statement.place,
      generation,
      checksums: statement.checksums,
      isRow: kind.isMetadata === true && statement.fields !== undefined,
      ...protectedOf(statement),
      ...(statement.sizeBytes === undefined ? {} : { sizeBytes: statement.sizeBytes }),
      ...(statement.mayRepeat === undefined ? {} : { mayRepeat: statement.mayRepeat }),
      ...(statement.noChecksumBecause === undefined
        ? {}
        : { noChecksumBecause: statement.noChecksumBecause }),
    }
    into.claims.add(`records/${target}`, JSON.stringify(claim))
  }
  const settleRule = async () => {
    rule = await chooseRule(
      held.map(({ path }) => path),
      into.topFolder,
      (path) => into.index.has(`records/${path}`),
    )
    for (const statement of held.splice(0)) await use(statement, rule)
  }
  for await (const statement of kind.read(document, (finding) => problems.push(finding))) {
    statements++
    rows ||= kind.isMetadata === true && statement.fields !== undefined
    if (rule === undefined) {
      held.push(statement)
      if (held.length >= SAMPLES_PER_DOCUMENT) await settleRule()
    } else await use(statement, rule)
    if (problems.length > 0) await flushProblems()
  }
  if (rule === undefined) await settleRule()
  await flushProblems()
  return { statements, unreadable, rows }
}

/** What a statement says of fields that must not be edited. */
function protectedOf({ fields }: Statement): Pick<Claimed, 'fileName' | 'lastModified'> {
  const fileName = fields?.['file_name']
  const lastModified = fields?.['date_last_modified']
  return {
    ...(typeof fileName === 'string' && fileName !== '' ? { fileName } : {}),
    ...(typeof lastModified === 'string' && lastModified !== '' ? { lastModified } : {}),
  }
}
