import { createHash } from 'node:crypto'
import type { SealedDocument } from '../adapters/sealed-document.ts'
import type { Store, StoredObject } from '../adapters/store.ts'
import type { Profile } from '../metadata/profile.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceRow } from '../model/outcome.ts'
import { transferPrefix, type Attempt, type TransferAddress } from '../model/transfer.ts'
import type { FrozenXmlSchema } from '../pool/messages.ts'
import { ExternalSort } from '../scratch/external-sort.ts'
import { entriesInKeyOrder, type BaseAttempt, type BaseResults } from './attempt-entries.ts'
import { OpenBag } from './bags.ts'
import { readDocuments } from './claims.ts'
import { readState, readStateIfThere } from './create-once.ts'
import { ListingIndex } from './listing-index.ts'
import { PartWriter, type PartSummary } from './parts.ts'
import { sealInventory } from './sealed-inventory.ts'
import { collectSidecars, manifestsOf, sealListing, surveyListing } from './sealed-listing.ts'
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
  if (survey.strays.includes('bagit.txt'))
    await notes.add({ code: 'TRANSFER.BAG_AT_ROOT', path: 'bagit.txt' })
  else
    for (const key of survey.strays) await notes.add({ code: 'TRANSFER.STRAY_OBJECT', path: key })

  const claims = new ExternalSort(options.scratch)
  const sidecars = new ExternalSort(options.scratch)
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
    if (survey.sidecars) await collectSidecars(state, attempt, listing, sidecars)
    const counts = { added: 0, replaced: 0, removed: 0, carriedOver: 0 }
    const entries = entriesInKeyOrder({
      attempt,
      taken,
      listing,
      state,
      sidecars: sidecars.parsed<StoredObject>(),
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
    const { inventory, missing, ...totals } = await sealInventory(entries, {
      ...options,
      attempt,
      claims,
      bags,
      isListed: lists.files,
      notes,
    })
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
      inventory,
      missing,
      notes: await notes.end(),
      ...totals,
      documents: read.sealed.map(({ document }) => document),
      sources: read.sources,
      lists,
      ...(taken.base === undefined ? {} : { changes: counts }),
      inventoryDigest: createHash('sha256')
        .update(inventory.map((part) => part.sha256).join('\n'))
        .digest('hex'),
      sealedAt: options.now.toISOString(),
    }
    const won = await state.createIfAbsent(intakeKey(attempt), JSON.stringify(intake))
    return won === 'created' ? intake : await readState<Intake>(state, intakeKey(attempt))
  } finally {
    for (const sort of [claims, sidecars]) sort.dispose()
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
