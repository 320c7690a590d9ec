import type { ConsignmentTally } from '../flow/consignment-tally.ts'
import { judgeFile, type RowContext } from '../flow/file-row.ts'
import { groupSorted } from '../flow/match.ts'
import {
  judgeRedactions,
  redactedStem,
  withoutExtension,
  type RedactionCode,
} from '../flow/redaction-pairs.ts'
import type { CheckOutcome } from '../model/check.ts'
import type { Finding } from '../model/finding.ts'
import type { Attempt } from '../model/transfer.ts'
import { ExternalSort } from '../scratch/external-sort.ts'
import { checkedFiles, type Results } from './checked-files.ts'
import type { Plan } from './plan.ts'
import type { Intake } from './seal.ts'

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

/** Redacted copies without one original; they fail the names of their files after all. */
export async function reportRedactions(
  attempt: Attempt,
  intake: Intake,
  plan: Plan,
  options: Results & { readonly scratch: string },
  context: RowContext,
  tally: ConsignmentTally,
  addFinding: (finding: Finding) => void,
): Promise<void> {
  const pairing = new RedactionPairing(options.scratch)
  try {
    const copies = new ExternalSort(options.scratch)
    for await (const { entry, checked } of checkedFiles(attempt, intake, plan, options)) {
      if (context.isExcluded(checked.path)) continue
      pairing.add(checked.path)
      if (redactedStem(nameOf(checked.path)) === undefined) continue
      copies.add(checked.path, judgeFile(entry, checked, context, {}).outcomes.names.kind)
    }
    const problems = new ExternalSort(options.scratch)
    for (const { path, code } of pairing.problems()) problems.add(path, code)
    const kinds = copies.sorted()[Symbol.iterator]()
    for (const { sortKey: path, line } of problems.sorted()) {
      let kind = kinds.next()
      while (kind.done !== true && kind.value.sortKey !== path) kind = kinds.next()
      const before = kind.done === true ? 'passed' : (kind.value.line as CheckOutcome['kind'])
      const finding: Finding = { code: line as RedactionCode, path }
      addFinding(finding)
      tally.addLate('names', before, finding)
    }
    copies.dispose()
    problems.dispose()
  } finally {
    pairing.dispose()
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
