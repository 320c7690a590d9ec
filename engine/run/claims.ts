import { openDocument, type SealedDocument } from '../adapters/sealed-document.ts'
import type { Store } from '../adapters/store.ts'
import { applyRule, chooseRule, type PathRule } from '../flow/manifest-paths.ts'
import type { Claimed } from '../flow/match.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceRow } from '../model/outcome.ts'
import type { SourceKind, Statement } from '../model/source.ts'
import type { ExternalSort } from '../scratch/external-sort.ts'
import { recogniseSource, sourceKinds } from '../sources/index.ts'
import { explainUnrecognised } from '../sources/unrecognised.ts'
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
  const compareRows = await severalHaveRows(documents, into)
  for (const listed of documents) {
    const { document, kind, bag } = await recognised(listed, into)
    if (kind === undefined) {
      const why: Finding[] = []
      await explainUnrecognised(document, (finding) => why.push(finding))
      for (const finding of why) await into.notes.add(finding)
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
    const { generation } = listed
    const counted = await readStatements(
      kind,
      document,
      { generation, compareRows, rule: bag?.rule },
      into,
    )
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

/** A document with its first bytes, what it is, and the bag it lies in. */
async function recognised(
  listed: SealedDocument,
  { bags, zoneStore }: Parameters<typeof readDocuments>[1],
) {
  const bag = bags.find((one) => one.holds(listed.key))
  const document = {
    ...(await openDocument(zoneStore, listed)),
    ...(bag === undefined ? {} : { bag: bag.declaration }),
  }
  const kind =
    listed.kind === undefined
      ? recogniseSource(document)
      : sourceKinds.find(({ id }) => id === listed.kind)
  return { document, kind, bag }
}

/** Whether more than one document is metadata. None is kept: there may be thousands of documents. */
async function severalHaveRows(
  documents: readonly SealedDocument[],
  into: Parameters<typeof readDocuments>[1],
): Promise<boolean> {
  if (documents.length < 2) return false
  let metadata = 0
  for (const listed of documents) {
    const { kind } = await recognised(listed, into)
    if (kind?.isMetadata === true && ++metadata > 1) return true
  }
  return false
}

async function readStatements(
  kind: SourceKind,
  document: Awaited<ReturnType<typeof openDocument>>,
  how: {
    readonly generation: number
    /** Whether other documents have rows as well, which these may contradict. */
    readonly compareRows: boolean
    /** Of paths, where it is known beforehand. */
    readonly rule: PathRule | undefined
  },
  into: Parameters<typeof readDocuments>[1],
): Promise<{ statements: number; unreadable: number; rows: boolean }> {
  const problems: Finding[] = []
  let statements = 0
  let unreadable = 0
  let rows = false
  let { rule } = how
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
      generation: how.generation,
      checksums: statement.checksums,
      isRow: kind.isMetadata === true && statement.fields !== undefined,
      ...protectedOf(statement),
      ...(how.compareRows && statement.fields !== undefined ? { fields: statement.fields } : {}),
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
