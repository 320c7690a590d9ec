import type { Totals } from '../model/outcome.ts'

const EXTENSION_ROWS = 50
const EXTENSIONS_COUNTED = 10_000 // names made of garbage must not fill memory

/** Counts what a report says in total, one file at a time and in any order. */
export class TotalsCounter {
  #files = 0
  #bytes = 0
  #zeroByteFiles = 0
  #excludedFiles = 0
  #largest: { path: string; sizeBytes: number } | undefined
  readonly #extensions = new Map<string, { files: number; bytes: number }>()

  add(file: {
    readonly path: string
    readonly sizeBytes: number
    readonly excluded: boolean
  }): void {
    this.#files++
    this.#bytes += file.sizeBytes
    if (file.excluded) this.#excludedFiles++
    else if (file.sizeBytes === 0) this.#zeroByteFiles++
    const largest = this.#largest
    if (
      largest === undefined ||
      file.sizeBytes > largest.sizeBytes ||
      (file.sizeBytes === largest.sizeBytes && file.path < largest.path)
    ) {
      this.#largest = { path: file.path, sizeBytes: file.sizeBytes }
    }
    const extension = extensionOf(file.path)
    const known = this.#extensions.get(extension)
    if (known !== undefined) {
      known.files++
      known.bytes += file.sizeBytes
    } else if (this.#extensions.size < EXTENSIONS_COUNTED) {
      this.#extensions.set(extension, { files: 1, bytes: file.sizeBytes })
    }
  }

  end(rest: { readonly folders: number; readonly duplicates: Totals['duplicates'] }): Totals {
    return {
      files: this.#files,
      bytes: this.#bytes,
      folders: rest.folders,
      ...(this.#largest === undefined ? {} : { largest: this.#largest }),
      zeroByteFiles: this.#zeroByteFiles,
      excludedFiles: this.#excludedFiles,
      duplicates: rest.duplicates,
      extensions: this.#extensionRows(),
    }
  }

  #extensionRows(): Totals['extensions'] {
    const rows = [...this.#extensions]
      .map(([extension, counted]) => ({ extension, ...counted }))
      .sort((a, b) => b.files - a.files || (a.extension < b.extension ? -1 : 1))
    const shown = rows.slice(0, rows.length > EXTENSION_ROWS ? EXTENSION_ROWS - 1 : EXTENSION_ROWS)
    if (shown.length === rows.length) return rows
    const files = this.#files - shown.reduce((sum, row) => sum + row.files, 0)
    const bytes = this.#bytes - shown.reduce((sum, row) => sum + row.bytes, 0)
    return [...shown, { extension: '(all others)', files, bytes }]
  }
}

/** Lower-case, without the dot; '' where there is none or it is too long to be one. */
function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  const extension = dot <= 0 ? '' : name.slice(dot + 1).toLowerCase()
  return extension.length <= 16 ? extension : ''
}

/** Counts the distinct folders of paths that come in byte order. */
export class FolderCounter {
  #previous: readonly string[] = []
  count = 0

  add(path: string): void {
    const folders = path.split('/').slice(0, -1)
    let shared = 0
    while (shared < folders.length && folders[shared] === this.#previous[shared]) shared++
    this.count += folders.length - shared
    this.#previous = folders
  }
}
