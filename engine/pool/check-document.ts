import { closeSync, openSync, writeSync } from 'node:fs'
import { openDocument } from '../adapters/sealed-document.ts'
import { StoreError, type Store } from '../adapters/store.ts'
import { compileProfile, type CompiledProfile } from '../metadata/compile-profile.ts'
import type { Profile } from '../metadata/profile.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument } from '../model/source.ts'
import { checkMetadataDocument } from '../sources/check-metadata.ts'
import { sourceKinds } from '../sources/index.ts'
import { xmlHead } from '../sources/xml-head.ts'
import { checkAgainstSchema } from '../sources/xml-schema.ts'
import type { MetadataReply, MetadataTask } from './messages.ts'

/** Told to stop in the middle of a document: nothing of it counts. */
class Stopped extends Error {
  override readonly name = 'Stopped'
}

const BUFFERED_CHARACTERS = 64 * 1024

/** Check every row of one document, and its shape where there is a schema. Never throws. */
export async function checkDocument(task: MetadataTask, store: Store): Promise<MetadataReply> {
  const kind = sourceKinds.find(({ id }) => id === task.kind)
  if (kind === undefined) return { kind: 'bug', message: `there is no kind ${task.kind}` }
  const flag = new Int32Array(task.stopFlag)
  const out = new FindingsFile(task.findingsFile)
  try {
    const document = stoppable(
      await openDocument(store, task.document),
      () => Atomics.load(flag, 0) !== 0,
    )
    const report = (finding: Finding) => out.add(finding)
    const checked = await checkMetadataDocument(
      document,
      kind,
      {
        profile: compiled(task.profile),
        today: task.today,
        reportReading: false, // sealing has reported those
      },
      report,
    )
    if (task.xmlSchema !== undefined && xmlHead(document) !== undefined) {
      const encoder = new TextEncoder()
      const { text, beside } = task.xmlSchema
      const schema = {
        bytes: encoder.encode(text),
        beside: new Map(
          Object.entries(beside).map(([name, other]) => [name, encoder.encode(other)]),
        ),
      }
      await checkAgainstSchema(document, schema, report)
    }
    return { kind: 'checked', ...checked }
  } catch (error) {
    if (error instanceof Stopped) return { kind: 'handed back' }
    if (error instanceof StoreError)
      return { kind: 'store', reason: error.reason, message: error.message }
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { kind: 'bug', message }
  } finally {
    out.close()
  }
}

/** One compilation a thread: the profile of a transfer comes with each of its documents. */
let last: { readonly text: string; readonly profile: CompiledProfile } | undefined
function compiled(profile: Profile): CompiledProfile {
  const text = JSON.stringify(profile)
  if (last?.text !== text) last = { text, profile: compileProfile(profile) }
  return last.profile
}

function stoppable(document: SourceDocument, shouldStop: () => boolean): SourceDocument {
  return {
    ...document,
    async *open() {
      for await (const piece of document.open()) {
        if (shouldStop()) throw new Stopped()
        yield piece
      }
    },
  }
}

/** Findings as they are made, without waiting and without keeping them. */
class FindingsFile {
  readonly #descriptor: number
  #text = ''

  constructor(file: string) {
    this.#descriptor = openSync(file, 'wx')
  }

  add(finding: Finding): void {
    this.#text += `${JSON.stringify(finding)}\n`
    if (this.#text.length >= BUFFERED_CHARACTERS) this.#flush()
  }

  close(): void {
    this.#flush()
    closeSync(this.#descriptor)
  }

  #flush(): void {
    writeSync(this.#descriptor, this.#text)
    this.#text = ''
  }
}
