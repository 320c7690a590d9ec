import { groupSorted } from '../flow/match.ts'
import {
  judgeRedactions,
  redactedStem,
  withoutExtension,
  type RedactionCode,
} from '../flow/redaction-pairs.ts'
import { ExternalSort } from '../scratch/external-sort.ts'

type Line = { readonly name: string; readonly path: string; readonly isCopy: boolean }

/** Collects the paths of a consignment and tells which redacted copies have no one original. */
export class RedactionPairing {
  readonly #sort: ExternalSort

  constructor(scratch: string) {
    this.#sort = new ExternalSort(scratch)
  }

  add(path: string): void {
    const slash = path.lastIndexOf('/') + 1
    const folder = path.slice(0, slash)
    const name = path.slice(slash)
    const put = (stem: string, isCopy: boolean) =>
      this.#sort.add(`${folder}\0${stem}`, JSON.stringify({ name, path, isCopy } satisfies Line))
    put(withoutExtension(name), false)
    const stem = redactedStem(name)
    if (stem !== undefined) put(stem, true)
  }

  /** Paths of copies with what is wrong about them. */
  *problems(): Generator<{ readonly path: string; readonly code: RedactionCode }> {
    for (const { values } of groupSorted(this.#sort.sorted(), ({ sortKey }) => sortKey)) {
      const lines = values.map(({ line }) => JSON.parse(line) as Line)
      const copies = lines.filter(({ isCopy }) => isCopy)
      if (copies.length === 0) continue
      const named = lines.filter(({ isCopy }) => !isCopy).map(({ name }) => name)
      const wrong = judgeRedactions(
        named,
        copies.map(({ name }) => name),
      )
      for (const { name, path } of copies) {
        const code = wrong.get(name)
        if (code !== undefined) yield { path, code }
      }
    }
  }

  dispose(): void {
    this.#sort.dispose()
  }
}
