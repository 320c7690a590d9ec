import { createHash } from 'node:crypto'
import type { Store, StoredObject } from '../adapters/store.ts'
import { applyRule, chooseRule, type PathRule } from '../flow/manifest-paths.ts'
import { matchKey } from '../flow/match-key.ts'
import {
  applyClaims,
  duplicateRows,
  protectedDiffers,
  groupSorted,
  joinSorted,
  missingFile,
  type Claimed,
} from '../flow/match.ts'
import { completionNumber } from '../flow/completion.ts'
import type { Finding } from '../model/finding.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import { compareKeys } from '../model/key-order.ts'
import type { SourceRow } from '../model/outcome.ts'
import type { SourceKind, Statement } from '../model/source.ts'
import { transferPrefix, type Attempt, type TransferAddress } from '../model/transfer.ts'
import { ExternalSort } from '../scratch/external-sort.ts'
import { recogniseSource, sourceKinds } from '../sources/index.ts'
import { readState, readStateIfThere } from './create-once.ts'
import { openDocument, type SealedDocument } from '../adapters/sealed-document.ts'
import { bagPartOf } from '../sources/bagit.ts'
import { BagFinder, OpenBag, type Bag } from './bags.ts'
import { entriesInKeyOrder, type BaseAttempt, type BaseResults } from './attempt-entries.ts'
import { ListingIndex } from './listing-index.ts'
import { PartWriter, readParts, summariseParts, type PartSummary } from './parts.ts'
import type { Profile } from '../metadata/profile.ts'
import type { FrozenXmlSchema } from '../pool/messages.ts'
import { STATE_VERSION, intakeKey } from './state-layout.ts'
import type { Taken } from './take.ts'

/** The index and commit of a sealed attempt. Everything after sealing starts here. */
export type Intake = {
  readonly stateVersion: number
  readonly reference: string
  readonly attempt: number
  readonly transfer: TransferAddress
  readonly taken: Omit<Taken, 'stateVersion' | 'reference' | 'attempt'>
  readonly engineVersion: string
  readonly ruleSetVersion: string
  /** The zone's rules as they were at sealing: later changes to the configuration change no report. */
  readonly rules: FrozenRules
  readonly listing: readonly PartSummary[]
  readonly inventory: readonly PartSummary[]
  readonly missing: readonly PartSummary[]
  readonly notes: readonly PartSummary[]
  readonly files: number
  readonly bytes: number
  /** Whether any record has a sidecar (TDR's layout). */
  readonly sidecars: boolean
  readonly documents: readonly SealedDocument[]
  readonly sources: readonly SourceRow[]
  /** Whether any document lists all files, and whether any of them is metadata. */
  readonly lists: { readonly files: boolean; readonly metadata: boolean }
  /** For corrections. */
  readonly changes?: {
    readonly added: number
    readonly replaced: number
    readonly removed: number
    readonly carriedOver: number
  }
  /** SHA-256 over the inventory parts' digests, in order. */
  readonly inventoryDigest: string
  readonly sealedAt: string
}

export type FrozenRules = {
  readonly settings: import('../model/check.ts').JobSettings
  readonly required: readonly import('../model/code-facts.ts').CheckId[]
  readonly digest: string
  /** The body's own profile of metadata; TDR's where there is none. */
  readonly profile?: Profile
  /** What metadata in XML has to look like. */
  readonly xmlSchema?: FrozenXmlSchema
  readonly transferringBody?: string
  readonly series?: string
  readonly contact?: string
}

export type SealOptions = {
  readonly zoneStore: Store
  readonly state: Store
  readonly scratch: string
  readonly rules: FrozenRules
  readonly engineVersion: string
  readonly ruleSetVersion: string
  readonly now: Date
  /** Results of the base attempt, for what it already read; only corrections need them. */
  readonly baseResults?: BaseResults
}

const SAMPLES_PER_DOCUMENT = 20

/**
 * Seal one attempt: write down what there is, and what was said about it, once and for ever.
 *
 * Resumable at any point: the listing goes on after its last part, everything else follows from
 * the sealed listing and pinned documents and so comes out the same.
 */
export async function sealAttempt(
  attempt: Attempt,
  taken: Taken,
  options: SealOptions,
): Promise<Intake> {
  const { state, zoneStore } = options
  const before = await readStateIfThere<Intake>(state, intakeKey(attempt))
  if (before !== undefined) {
    if (before.stateVersion > STATE_VERSION) {
      throw new Error(`${attempt.reference} was sealed by a newer release of this program`)
    }
    return before
  }
  const listing = await sealListing(zoneStore, state, attempt)
  const base = taken.base === undefined ? undefined : await readBase(state, taken, taken.base)
  const survey = await surveyListing(state, attempt, listing)
  const notes = new PartWriter<Finding>(state, attempt, 'notes')
  const ownRoot = transferPrefix(attempt.transfer)
  const bags: OpenBag[] = []
  for (const bag of survey.bags)
    bags.push(await OpenBag.open(bag, zoneStore, ownRoot, (finding) => notes.add(finding)))
  const documents = [
    ...(base?.intake.documents ?? []).filter(
      (old) => !survey.documents.some((now) => now.key === old.key),
    ),
    ...[...survey.documents, ...survey.bags.flatMap(manifestsOf)].map((object) => ({
      ...object,
      root: ownRoot,
      generation: taken.attempt,
    })),
  ]
  for (const finding of taken.findings) await notes.add(finding)
  for (const message of taken.completion.loadErrors)
    await notes.add({ code: 'TRANSFER.CLIENT_ERROR', detail: message })
  for (const key of survey.strays) await notes.add({ code: 'TRANSFER.STRAY_OBJECT', path: key })

  const claims = new ExternalSort(options.scratch)
  const sidecars = new ExternalSort(options.scratch)
  const leftovers = new ExternalSort(options.scratch)
  const unmatched = new ExternalSort(options.scratch)
  const joined = new ExternalSort(options.scratch)
  try {
    const read = await readDocuments(documents, {
      claims,
      notes,
      zoneStore,
      index: new ListingIndex(state, attempt, listing),
      topFolder: survey.topFolder,
      bags,
      removed: new Set(taken.completion.remove),
    })
    await collectSidecars(state, attempt, listing, sidecars)
    const counts = { added: 0, replaced: 0, removed: 0, carriedOver: 0 }
    const entries = entriesInKeyOrder({
      attempt,
      taken,
      listing,
      state,
      sidecars: parsed<StoredObject>(sidecars),
      base,
      counts,
      notes,
      zoneStore,
      baseResults: options.baseResults,
    })
    const lists = {
      files: read.sealed.some(({ kind }) => kind?.listsAllFiles === true && !kind.rows),
      metadata: read.sealed.some(({ kind }) => kind?.rows === true),
    }
    for await (const { key, left, right } of joinSorted(
      entries,
      (entry) => entry.key,
      parsed<Claimed>(claims),
      (claim) => `records/${claim.target}`,
      compareKeys,
    )) {
      if (left === undefined) {
        for (const claim of right) leftovers.add(matchKey(claim.target), JSON.stringify(claim))
        continue
      }
      for (const finding of [...duplicateRows(right), ...protectedDiffers(right)])
        await notes.add(finding)
      const bag = bags.find((one) => one.holds(key))
      if (bag !== undefined && right.length > 0)
        for (const finding of bag.match(key, left.sizeBytes, right)) await notes.add(finding)
      const entry = applyClaims(left, right)
      const listed = right.some((claim) => !claim.isRow) || bag?.isTagFile(key) === true
      joined.add(
        key,
        JSON.stringify(
          lists.files && !listed && left.sidecar === undefined && left.carried === undefined
            ? { ...entry, unlisted: true }
            : entry,
        ),
      )
      if (right.length === 0)
        unmatched.add(matchKey(entry.path), JSON.stringify({ key, path: entry.path }))
    }
    const similar = matchSimilar(leftovers, unmatched)
    const inventory = new PartWriter<InventoryEntry>(state, attempt, 'inventory', {
      keyOf: (entry) => entry.key,
    })
    let files = 0
    let bytes = 0
    let anySidecar = false
    for (const entry of parsed<InventoryEntry>(joined)) {
      const claimed = similar.byKey.get(entry.key)
      // Nothing named it exactly: its bag hears of it with what named it nearly, or nothing did.
      if (entry.stated.length === 0) {
        const bag = bags.find((one) => one.holds(entry.key))
        for (const finding of bag?.match(entry.key, entry.sizeBytes, claimed ?? []) ?? [])
          await notes.add(finding)
      }
      await inventory.add(
        claimed === undefined ? entry : listedAs(applyClaims(entry, claimed), claimed),
      )
      files++
      anySidecar ||= entry.sidecar !== undefined
      bytes += entry.sizeBytes
    }
    for (const bag of bags) for (const finding of bag.end()) await notes.add(finding)
    const missing = new PartWriter<ReturnType<typeof missingFile>>(state, attempt, 'missing')
    for (const line of missingFiles(leftovers, similar.usedTargets)) await missing.add(line)
    const inventoryParts = await inventory.end()
    const intake: Intake = {
      stateVersion: STATE_VERSION,
      reference: attempt.reference,
      attempt: attempt.number,
      transfer: attempt.transfer,
      taken: {
        completion: taken.completion,
        findings: taken.findings,
        takenAt: taken.takenAt,
        ...(taken.base === undefined ? {} : { base: taken.base }),
      },
      engineVersion: options.engineVersion,
      ruleSetVersion: options.ruleSetVersion,
      rules: options.rules,
      listing,
      inventory: inventoryParts,
      missing: await missing.end(),
      notes: await notes.end(),
      files,
      bytes,
      sidecars: anySidecar,
      documents: read.sealed.map(({ document }) => document),
      sources: read.sources,
      lists,
      ...(taken.base === undefined ? {} : { changes: counts }),
      inventoryDigest: createHash('sha256')
        .update(inventoryParts.map((part) => part.sha256).join('\n'))
        .digest('hex'),
      sealedAt: options.now.toISOString(),
    }
    const won = await state.createIfAbsent(intakeKey(attempt), JSON.stringify(intake))
    return won === 'created' ? intake : await readState<Intake>(state, intakeKey(attempt))
  } finally {
    for (const sort of [claims, sidecars, leftovers, unmatched, joined]) sort.dispose()
  }
}

/** Write the drop zone's listing down, going on after the last part of an interrupted run. */
async function sealListing(
  zoneStore: Store,
  state: Store,
  attempt: Attempt,
): Promise<readonly PartSummary[]> {
  const prefix = transferPrefix(attempt.transfer)
  const after = await summariseParts(state, attempt, 'listing')
  const writer = new PartWriter<StoredObject>(state, attempt, 'listing', {
    keyOf: (object) => object.key,
    after,
  })
  const last = after.at(-1)?.lastKey
  for await (const object of zoneStore.list({
    prefix,
    ...(last === undefined ? {} : { startAfter: prefix + last }),
  })) {
    await writer.add({ ...object, key: object.key.slice(prefix.length) })
  }
  return writer.end()
}

type Survey = {
  readonly documents: readonly StoredObject[]
  readonly strays: readonly string[]
  /** The one folder all records lie in, if there is one. */
  readonly topFolder: string | undefined
  readonly bags: readonly Bag[]
}

const STRAYS_NAMED = 1000

async function surveyListing(
  state: Store,
  attempt: Attempt,
  listing: readonly PartSummary[],
): Promise<Survey> {
  const documents: StoredObject[] = []
  const strays: string[] = []
  const topFolders = new Set<string>()
  const bags = new BagFinder()
  for await (const object of readParts<StoredObject>(state, attempt, 'listing', listing.length)) {
    if (object.key.startsWith('records/')) {
      bags.see(object)
      const slash = object.key.indexOf('/', 'records/'.length)
      if (topFolders.size < 2)
        topFolders.add(slash < 0 ? '' : object.key.slice('records/'.length, slash))
    } else if (/^(?:dryrun)?metadata\//.test(object.key)) {
      if (!object.key.endsWith('.metadata') && object.irregular === undefined)
        documents.push(object)
    } else if (completionNumber(object.key) === undefined && strays.length < STRAYS_NAMED) {
      strays.push(object.key)
    }
  }
  const [only, ...others] = topFolders
  return {
    documents,
    strays,
    topFolder: others.length === 0 && only !== '' ? only : undefined,
    bags: bags.found(),
  }
}

function manifestsOf({ parts: tagFiles }: Bag): StoredObject[] {
  return [...tagFiles]
    .filter(([name]) => bagPartOf(name)?.kind.endsWith('manifest'))
    .map(([, object]) => object)
}

type ReadDocuments = {
  readonly sealed: readonly {
    document: SealedDocument
    kind: { listsAllFiles: boolean; rows: boolean } | undefined
  }[]
  readonly sources: readonly SourceRow[]
}

/** Read every document once; each statement becomes a claim about one path. */
async function readDocuments(
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

/** Sidecars by the matchId in their name, to be joined with `records/{matchId}`. */
async function collectSidecars(
  state: Store,
  attempt: Attempt,
  listing: readonly PartSummary[],
  sidecars: ExternalSort,
): Promise<void> {
  for await (const object of readParts<StoredObject>(state, attempt, 'listing', listing.length)) {
    const matchId = /^metadata\/([^/]+)\.metadata$/.exec(object.key)?.[1]
    if (matchId !== undefined && object.irregular === undefined)
      sidecars.add(`records/${matchId}`, JSON.stringify(object))
  }
}

async function readBase(
  state: Store,
  taken: Taken,
  base: NonNullable<Taken['base']>,
): Promise<BaseAttempt & { readonly intake: Intake }> {
  const attempt = { reference: taken.reference, number: base.attempt, transfer: base.transfer }
  return { attempt, intake: await readState<Intake>(state, intakeKey(attempt)) }
}

/**
 * Pair what is named but not there with what is there but not named, where only Unicode form,
 * case or separator differs and the pair is unambiguous.
 */
function matchSimilar(
  leftovers: ExternalSort,
  unmatched: ExternalSort,
): { byKey: Map<string, Claimed[]>; usedTargets: Set<string> } {
  const byKey = new Map<string, Claimed[]>()
  const usedTargets = new Set<string>()
  if (leftovers.count === 0 || unmatched.count === 0) return { byKey, usedTargets }
  const files = groupSorted(unmatched.sorted(), ({ sortKey }) => sortKey)
  let file = files.next()
  for (const { key, values } of groupSorted(leftovers.sorted(), ({ sortKey }) => sortKey)) {
    while (file.done !== true && compareKeys(file.value.key, key) < 0) file = files.next()
    if (file.done === true || file.value.key !== key || file.value.values.length !== 1) continue
    const claims = values.map(({ line }) => JSON.parse(line) as Claimed)
    if (new Set(claims.map(({ target }) => target)).size !== 1) continue
    const { key: fileKey } = JSON.parse(file.value.values[0]?.line ?? '{}') as { key: string }
    byKey.set(fileKey, claims)
    usedTargets.add(claims[0]?.target ?? '')
  }
  return { byKey, usedTargets }
}

function listedAs(entry: InventoryEntry, claims: readonly Claimed[]): InventoryEntry {
  const { unlisted: _unlisted, ...listed } = entry
  const first = claims[0]
  return first === undefined ? entry : { ...listed, listedAs: first.target }
}

function* missingFiles(
  leftovers: ExternalSort,
  used: ReadonlySet<string>,
): Generator<NonNullable<ReturnType<typeof missingFile>>> {
  for (const { values } of groupSorted(leftovers.sorted(), ({ sortKey }) => sortKey)) {
    const claims = values
      .map(({ line }) => JSON.parse(line) as Claimed)
      .filter(({ target }) => !used.has(target))
    for (const { key, values: ofOne } of groupSorted(
      claims.sort((a, b) => compareKeys(a.target, b.target)),
      ({ target }) => target,
    )) {
      const missing = missingFile(key, ofOne)
      if (missing !== undefined) yield missing
    }
  }
}

function* parsed<T>(sort: ExternalSort): Generator<T> {
  for (const { line } of sort.sorted()) yield JSON.parse(line) as T
}
