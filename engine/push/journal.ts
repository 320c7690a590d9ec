import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/** What a push has done, beside the folder, so that a later one goes on from there. */
export type Journal = {
  readonly to: string
  readonly source: string
  readonly transferId: string
  readonly reference?: string
  /** The transfer that this one corrects, with what it said of each file. */
  readonly corrects?: { readonly transferId: string; readonly files: readonly PushedFile[] }
  readonly files: ReadonlyMap<string, PushedFile>
  /** Uploads in parts that were begun: by key. */
  readonly parts: ReadonlyMap<string, readonly PushedPart[]>
  readonly completed: boolean
  /** Keys that a completed correction took out: the next one knows them no more. */
  readonly removed: ReadonlySet<string>
}

export type PushedFile = {
  /** Below the transfer: `records/...` or `metadata/...`. */
  readonly key: string
  readonly sizeBytes: number
  /** The folder store's mark of the file as it was read. */
  readonly etag: string
  readonly sha256: string
}

export type PushedPart = {
  readonly key: string
  readonly etag: string
  readonly uploadId: string
  readonly partNumber: number
  /** What the store called the part. */
  readonly partEtag: string
}

type Begin = Omit<Journal, 'files' | 'parts' | 'completed' | 'removed'>
type Line =
  | ({ readonly kind: 'begun' } & Begin)
  | ({ readonly kind: 'file' } & PushedFile)
  | ({ readonly kind: 'part' } & PushedPart)
  /** Everything is sent, and it is about to be said: what became of it, the other side knows. */
  | { readonly kind: 'completing'; readonly removed: readonly string[] }
  | { readonly kind: 'completed' }

/** `photos` is journalled in `photos.push.jsonl` beside it. */
export function journalFile(folder: string): string {
  return `${folder.replace(/\/+$/, '')}.push.jsonl`
}

/** undefined where nothing was begun. A last line that a kill cut off is left out. */
export function readJournal(file: string): Journal | undefined {
  if (!existsSync(file)) return undefined
  let journal: Journal | undefined
  const files = new Map<string, PushedFile>()
  const parts = new Map<string, PushedPart[]>()
  for (const text of readFileSync(file, 'utf8').split('\n')) {
    const line = lineOf(text)
    if (line === undefined) continue
    if (line.kind === 'begun')
      journal = { ...line, files, parts, completed: false, removed: new Set() }
    else if (line.kind === 'file') files.set(line.key, line)
    else if (line.kind === 'part') parts.set(line.key, [...(parts.get(line.key) ?? []), line])
    else if (journal !== undefined)
      journal =
        line.kind === 'completing'
          ? { ...journal, removed: new Set(line.removed) }
          : { ...journal, completed: true }
  }
  return journal
}

function lineOf(text: string): Line | undefined {
  if (!text.endsWith('}')) return undefined
  try {
    return JSON.parse(text) as Line
  } catch (error) {
    // Half a line: what it would have said is done again.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** A new push: what was before is over. */
export function beginJournal(file: string, begun: Begin) {
  // Whole or not at all: what was sent before is needed until what follows is noted.
  const fresh = `${file}.new`
  writeFileSync(fresh, `${JSON.stringify({ kind: 'begun', ...begun } satisfies Line)}\n`)
  renameSync(fresh, file)
}

export const noteFile = (file: string, pushed: PushedFile) =>
  note(file, { kind: 'file', ...pushed })
export const notePart = (file: string, pushed: PushedPart) =>
  note(file, { kind: 'part', ...pushed })
export const noteCompleting = (file: string, removed: readonly string[]) =>
  note(file, { kind: 'completing', removed })
export const noteCompleted = (file: string) => note(file, { kind: 'completed' })

function note(file: string, line: Line): void {
  appendFileSync(file, `${JSON.stringify(line)}\n`)
}
