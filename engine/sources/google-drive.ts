import type { Place } from '../model/checksum.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument, SourceKind, Statement } from '../model/source.ts'
import {
  fieldsOf,
  firstJsonRecord,
  readJsonRecords,
  textOf,
  type JsonObject,
} from './json-records.ts'
import { statedChecksum } from './stated-checksum.ts'

const LISTS: ReadonlySet<string> = new Set(['files'])
const FOLDER = 'application/vnd.google-apps.folder'
const SHORTCUT = 'application/vnd.google-apps.shortcut'
const NATIVE = 'application/vnd.google-apps.'

/**
 * Google Drive's files.list, one page or several. Native documents have no size and no checksum:
 * that is said, not failed. Paths are made of the folders that the list holds; a folder that it
 * does not hold is the top.
 */
export const googleDrive: SourceKind = {
  id: 'google-drive-list',
  summary: 'files.list of the Google Drive API',
  listsAllFiles: true,
  recognise(document) {
    const first = firstJsonRecord(document, LISTS)
    return first !== undefined && 'mimeType' in first && 'name' in first && 'id' in first
  },
  async *read(document, report) {
    const folders = await readFolders(document)
    for await (const { value, row } of readJsonRecords(document, LISTS, report)) {
      const type = textOf(value, 'mimeType')
      if (type === FOLDER || type === SHORTCUT || value['trashed'] === true) continue
      yield* toStatement(value, folders, { document: document.key, row }, report)
    }
  },
}

type Folder = { readonly name: string; readonly parent: string | undefined }

/** Only folders are held: a drive has far fewer of them than files. */
async function readFolders(document: SourceDocument): Promise<ReadonlyMap<string, Folder>> {
  const folders = new Map<string, Folder>()
  for await (const { value } of readJsonRecords(document, LISTS, () => {})) {
    const [id, name] = [textOf(value, 'id'), textOf(value, 'name')]
    if (textOf(value, 'mimeType') === FOLDER && id !== undefined && name !== undefined)
      folders.set(id, { name, parent: parentOf(value) })
  }
  return folders
}

function* toStatement(
  file: JsonObject,
  folders: ReadonlyMap<string, Folder>,
  place: Place,
  report: (finding: Finding) => void,
): Generator<Statement> {
  const name = textOf(file, 'name')
  if (name === undefined || name === '') {
    report({ code: 'SOURCE.ENTRY_WITHOUT_PATH', place })
    return
  }
  const size = textOf(file, 'size')
  const checksums = (['md5', 'sha1', 'sha256'] as const).flatMap((algorithm) => {
    const written = textOf(file, `${algorithm}Checksum`)
    const one =
      written === undefined ? undefined : statedChecksum(algorithm, written, place, report)
    return one === undefined ? [] : [one]
  })
  const native = textOf(file, 'mimeType')?.startsWith(NATIVE) === true
  yield {
    place,
    path: folderPath(parentOf(file), folders) + name,
    checksums,
    ...(size !== undefined && /^\d+$/.test(size) ? { sizeBytes: Number(size) } : {}),
    ...(native
      ? { noChecksumBecause: 'a Google document has no size or checksum of its own' }
      : {}),
    mayRepeat: true,
    fields: fieldsOf(file),
  }
}

function parentOf(file: JsonObject): string | undefined {
  const parents = file['parents']
  const first: unknown = Array.isArray(parents) ? parents[0] : undefined
  return typeof first === 'string' ? first : undefined
}

function folderPath(id: string | undefined, folders: ReadonlyMap<string, Folder>): string {
  const names: string[] = []
  const seen = new Set<string>()
  for (let at = id; at !== undefined && !seen.has(at);) {
    seen.add(at) // a drive cannot hold a circle, a list that somebody edited can
    const folder = folders.get(at)
    if (folder === undefined) break
    names.unshift(folder.name)
    at = folder.parent
  }
  return names.map((name) => `${name}/`).join('')
}
