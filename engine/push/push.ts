import { join } from 'node:path'
import { createFolderStore } from '../adapters/folder-store.ts'
import { StoreError, type StoredObject } from '../adapters/store.ts'
import { inOnePiece, sendFile, Slots, tried, type LocalFile, type Sending } from './file-upload.ts'
import {
  beginJournal,
  noteCompleted,
  noteCompleting,
  noteFile,
  readJournal,
  type Journal,
  type PushedFile,
} from './journal.ts'
import { LandingError, type Landing, type PushCompletion } from './landing.ts'
import { sendSigned } from './sending.ts'

export type PushOptions = {
  readonly folder: string
  readonly landing: Landing
  readonly source: string
  readonly journal: string
  /** Send what changed since the last push of this folder, as a correction of it. */
  readonly correct: boolean
  /** Files sent at once. */
  readonly parallel: number
  readonly about: Pick<PushCompletion, 'transferringBody' | 'series' | 'contact'>
  readonly signal: AbortSignal
  readonly onProgress: (progress: PushProgress) => void
}

export type PushProgress = {
  readonly files: number
  readonly filesDone: number
  readonly bytes: number
  readonly bytesDone: number
}

export type Pushed = {
  readonly transferId: string
  readonly reference?: string
  /** Sent now, and found there from an earlier try or an earlier attempt. */
  readonly sent: number
  readonly kept: number
  readonly removed: number
  /** Files that changed after they were sent in a push that was cut: a correction brings them. */
  readonly changedMeanwhile: number
  readonly bytes: number
}

const COMPLETE = 'complete.json'
const MANIFEST = 'metadata/manifest-sha256.txt'

/**
 * Land a folder as an integrator would: every file under `records/` (or as it lies, where the
 * folder has a `records/` of its own), a manifest of their SHA-256 made while they are read, and
 * `complete` last. What was sent is journalled, so that running it again goes on after any cut.
 * Throws LandingError.
 */
export async function push(options: PushOptions): Promise<Pushed> {
  const { landing, journal: file, signal } = options
  const files = await filesOf(options.folder)
  const records = files.filter(({ key }) => key.startsWith('records/'))
  if (records.length === 0)
    throw new LandingError(`${options.folder} holds no file: there is nothing to send`)
  const journal = await begun(options)
  const { transferId } = journal
  const arrived = await whatArrived(landing, transferId)

  const known = new Map(journal.corrects?.files.map((one) => [one.key, one]))
  const pushed = new Map<string, PushedFile>()
  const carriedOver = new Set<string>()
  const total = { files: files.length, bytes: sum(files) }
  let filesDone = 0
  let bytesDone = 0
  let sent = 0
  let kept = 0
  let changedMeanwhile = 0
  // One part for each file that is sent at once, or all of them for one file.
  const sending: Sending = { landing, journal: file, slots: new Slots(options.parallel), signal }
  const tell = () => options.onProgress({ ...total, filesDone, bytesDone })
  const take = async (one: LocalFile): Promise<void> => {
    const before = bytesDone
    const same = (other: PushedFile | undefined) =>
      other !== undefined && other.etag === one.etag && other.sizeBytes === one.sizeBytes
    const earlier = known.get(one.key)
    const already = journal.files.get(one.key)
    if (
      same(already) &&
      already !== undefined &&
      (arrived === undefined || arrived.get(one.key) === one.sizeBytes)
    ) {
      pushed.set(one.key, already)
      kept++
    } else if (already !== undefined && arrived?.get(one.key) === already.sizeBytes) {
      // What lies there is never replaced: it goes on as it was sent, and a correction brings the rest.
      pushed.set(one.key, already)
      changedMeanwhile++
      kept++
    } else if (same(earlier) && earlier !== undefined) {
      pushed.set(one.key, earlier)
      carriedOver.add(one.key)
      kept++
    } else {
      const sha256 = await sendFile(sending, journal, one, arrived?.get(one.key), (bytes) => {
        bytesDone = Math.min(bytesDone + bytes, before + one.sizeBytes)
        tell()
      })
      const done = { key: one.key, sizeBytes: one.sizeBytes, etag: one.etag, sha256 }
      pushed.set(one.key, done)
      noteFile(file, done)
      if (earlier?.sha256 === sha256) kept++
      else sent++
    }
    filesDone++
    tell()
  }
  await inParallel(files, options.parallel, take)

  const removed = [...known.keys()].filter((key) => key.startsWith('records/') && !pushed.has(key))
  const manifest = manifestOf(records, pushed)
  if (!files.some(({ key }) => key === MANIFEST))
    await sendBytes(options, transferId, MANIFEST, manifest, arrived?.get(MANIFEST))
  // What a correction carries over is no part of the transfer.
  const count = records.filter(({ key }) => !carriedOver.has(key)).length
  const completion: PushCompletion = {
    expectedNumberFiles: count,
    loadedNumberFiles: count,
    loadErrors: [],
    ...options.about,
    ...(journal.corrects === undefined ? {} : { corrects: journal.corrects.transferId }),
    ...(removed.length === 0 ? {} : { remove: removed.map(nameOf) }),
  }
  noteCompleting(file, removed)
  await tried(signal, () => landing.complete(transferId, completion))
  noteCompleted(file)
  return {
    transferId,
    ...(journal.reference === undefined ? {} : { reference: journal.reference }),
    sent,
    kept,
    removed: removed.length,
    changedMeanwhile,
    bytes: total.bytes,
  }
}

/** Sizes by key; undefined where whoever pushes may write and not list: then the journal is believed. */
async function whatArrived(
  landing: Landing,
  transferId: string,
): Promise<ReadonlyMap<string, number> | undefined> {
  const arrived = new Map<string, number>()
  try {
    for await (const { key, sizeBytes } of landing.arrived(transferId)) arrived.set(key, sizeBytes)
  } catch (error) {
    if (error instanceof StoreError && error.reason === 'denied') return undefined
    throw error
  }
  return arrived
}

/** Throws LandingError for what is no file: a link or a device is no record. */
async function filesOf(folder: string): Promise<readonly LocalFile[]> {
  const objects: StoredObject[] = []
  for await (const object of createFolderStore(folder).list({ prefix: '' })) {
    if (object.irregular !== undefined)
      throw new LandingError(
        `${object.key} is a ${object.irregular} and no file: put the file itself there, or take it away`,
      )
    objects.push(object)
  }
  const laidOut = objects.some(({ key }) => key.startsWith('records/'))
  return objects
    .filter(({ key }) => !laidOut || key.startsWith('records/') || key.startsWith('metadata/'))
    .map(({ key, sizeBytes, etag }) => ({
      key: laidOut ? key : `records/${key}`,
      file: join(folder, key),
      sizeBytes,
      etag,
    }))
}

/** As the sender knows a record: below `records/`. */
function nameOf(key: string): string {
  return key.replace(/^records\//, '')
}

async function begun(options: PushOptions): Promise<Journal> {
  const { landing, journal: file, source, signal } = options
  let before = readJournal(file)
  if (before !== undefined && !before.completed) {
    if (before.to !== landing.address || before.source !== source)
      throw new LandingError(
        `this folder is on its way to ${before.to} (${before.source}): finish that push, or delete ${file}`,
      )
    // Cut between saying that everything is sent and hearing the answer: it was said.
    if ((await whatArrived(landing, before.transferId))?.has(COMPLETE) !== true) return before
    noteCompleted(file)
    before = { ...before, completed: true }
  }
  if (before !== undefined && !options.correct)
    throw new LandingError(
      `this folder was pushed as ${before.reference ?? before.transferId}: --correct sends what changed since; to send all of it anew, delete ${file}`,
    )
  if (before === undefined && options.correct)
    throw new LandingError('nothing was pushed from this folder yet: there is nothing to correct')
  const made = await tried(signal, () => landing.begin())
  const corrects =
    before === undefined
      ? {}
      : {
          corrects: {
            transferId: before.transferId,
            files: [
              ...new Map(
                [...(before.corrects?.files ?? []), ...before.files.values()].map((one) => [
                  one.key,
                  one,
                ]),
              ).values(),
            ].filter(({ key }) => !before.removed.has(key)),
          },
          ...(before.reference === undefined ? {} : { reference: before.reference }),
        }
  beginJournal(file, { to: landing.address, source, ...made, ...corrects })
  const after = readJournal(file)
  if (after === undefined) throw new Error('bug: a journal that was begun is not there')
  return after
}

async function sendBytes(
  options: PushOptions,
  transferId: string,
  key: string,
  text: string,
  arrivedBytes: number | undefined,
): Promise<void> {
  const bytes = Buffer.from(text)
  if (arrivedBytes === bytes.byteLength) return
  const { landing, signal } = options
  await tried(signal, async () => {
    const offer = await landing.offer(transferId, { key, sizeBytes: bytes.byteLength })
    if (offer.kind === 'write') await offer.write(inOnePiece(bytes))
    else if (offer.kind === 'single') await sendSigned(offer.request, inOnePiece(bytes), signal)
  })
}

/** As sha256sum writes it, made inside the folder. */
function manifestOf(
  records: readonly LocalFile[],
  pushed: ReadonlyMap<string, PushedFile>,
): string {
  return records
    .map(({ key }) => {
      const name = nameOf(key)
      const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
      return `${escaped === name ? '' : '\\'}${pushed.get(key)?.sha256 ?? ''}  ${escaped}\n`
    })
    .join('')
}

async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  let failed = false
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = items[next++]; item !== undefined && !failed; item = items[next++]) {
        try {
          await work(item)
        } catch (error) {
          failed = true // the others end what they have in hand
          throw error
        }
      }
    }),
  )
}

function sum(files: readonly LocalFile[]): number {
  return files.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0)
}
