import { groupSorted } from '../flow/match.ts'
import type { Finding } from '../model/finding.ts'
import type { Totals } from '../model/outcome.ts'
import type { ExternalSort } from '../scratch/external-sort.ts'

const PATHS_NAMED_PER_GROUP = 5

/** Files of one content, from lines by SHA-256. */
export function reportDuplicates(
  contents: ExternalSort,
  found: (finding: Finding) => void,
): Totals['duplicates'] {
  let files = 0
  let groups = 0
  let bytes = 0
  for (const { key, values } of groupSorted(contents.sorted(), ({ sortKey }) => sortKey)) {
    if (values.length < 2) continue
    const copies = values.map(({ line }) => JSON.parse(line) as { path: string; sizeBytes: number })
    const first = copies[0]
    if (first === undefined) continue
    groups++
    files += copies.length
    bytes += first.sizeBytes * (copies.length - 1)
    const others = copies.slice(1, 1 + PATHS_NAMED_PER_GROUP).map(({ path }) => path)
    const more = copies.length - 1 - others.length
    found({
      code: 'CONTENT.DUPLICATE',
      path: first.path,
      value: key,
      detail: `${copies.length} files: also ${others.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
    })
  }
  return { files, groups, bytes }
}

/** Names that differ in nothing but what some systems ignore, from lines by match key. */
export function reportClashes(names: ExternalSort, found: (finding: Finding) => void): void {
  for (const { values } of groupSorted(names.sorted(), ({ sortKey }) => sortKey)) {
    if (values.length < 2) continue
    const [first, ...others] = values.map(({ line }) => JSON.parse(line) as string)
    if (first === undefined) continue
    found({
      code: 'NAME.CLASH',
      path: first,
      value: others.slice(0, PATHS_NAMED_PER_GROUP).join(', '),
    })
  }
}
