import type { CheckOutcome, FileFacts, Job } from '../engine/model/check.ts'
import {
  algorithmNames,
  algorithms,
  strength,
  type Algorithm,
  type Place,
  type StatedChecksum,
} from '../engine/model/checksum.ts'
import { count } from '../engine/model/count.ts'
import type { Finding } from '../engine/model/finding.ts'
import type { InventoryEntry } from '../engine/model/inventory.ts'

/** Files compared, by the algorithm that was stated. */
export type FixityTally = Readonly<Partial<Record<Algorithm, number>>>

const NONE: FixityTally = {}

/** SharePoint rewrites these after upload, and then states the digest of what it wrote. */
const OFFICE = /\.(?:docx|xlsx|pptx|docm|xlsm|pptm)$/i

/** Every checksum that anybody stated for the file, against ours. */
export const fixity: Job<FixityTally> = {
  id: 'fixity',
  summary: 'Every checksum the sender stated, compared with the bytes received',
  check: 'fixity',
  empty: NONE,
  merge: (a, b) =>
    Object.fromEntries(
      algorithms.flatMap((algorithm) => {
        const count = (a[algorithm] ?? 0) + (b[algorithm] ?? 0)
        return count === 0 ? [] : [[algorithm, count]]
      }),
    ),
  notes: (counted) =>
    algorithms.flatMap((algorithm) => {
      const files = counted[algorithm]
      if (files === undefined) return []
      const proves =
        strength[algorithm] === 'tampering'
          ? 'detects accidents and deliberate changes'
          : 'detects accidents only'
      return [`${algorithmNames[algorithm]} for ${count(files, 'file', 'files')}: ${proves}.`]
    }),
  begin: (entry) => ({
    end: (facts) => ({ outcome: compare(entry, facts), tally: countStated(entry.stated) }),
  }),
}

function compare(entry: InventoryEntry, facts: FileFacts): CheckOutcome {
  if (entry.stated.length === 0 || facts.digests.sha256 === undefined) return { kind: 'no basis' }
  const contradictory = contradiction(entry.stated, facts)
  const findings = contradictory ?? entry.stated.flatMap((stated) => mismatch(entry, stated, facts))
  return findings.length === 0 ? { kind: 'passed' } : { kind: 'failed', findings }
}

/** Two values for one algorithm cannot both be right, whatever the bytes are. */
function contradiction(stated: readonly StatedChecksum[], facts: FileFacts): Finding[] | undefined {
  for (const algorithm of algorithms) {
    const ofOne = stated.filter((one) => one.algorithm === algorithm)
    const [first] = ofOne
    const second = ofOne.find(({ value }) => value !== first?.value)
    if (first === undefined || second === undefined) continue
    const right = ofOne.find(({ value }) => value === facts.digests[algorithm])
    const verdict =
      right === undefined
        ? 'Neither is that of the bytes received.'
        : `The bytes received agree with ${where(right.place)}.`
    return [
      {
        code: 'CHECKSUM.CONTRADICTORY',
        place: second.place,
        value: second.value,
        expected: first.value,
        detail: `The other is ${where(first.place)}. ${verdict}`,
      },
    ]
  }
  return undefined
}

function mismatch(
  { path, stated: all }: InventoryEntry,
  stated: StatedChecksum,
  facts: FileFacts,
): Finding[] {
  const ours = facts.digests[stated.algorithm]
  if (ours === stated.value) return []
  const rewritten = stated.algorithm === 'quickxor' && OFFICE.test(path)
  // Then the list that differs is likelier to be wrong than the file.
  const right = all.find(({ algorithm, value }) => facts.digests[algorithm] === value)
  return [
    {
      code: rewritten ? 'CHECKSUM.MISMATCH_OFFICE' : 'CHECKSUM.MISMATCH',
      place: stated.place,
      value: `${stated.algorithm}:${ours ?? ''}`,
      expected: `${stated.algorithm}:${stated.value}`,
      ...(right === undefined
        ? {}
        : { detail: `The ${right.algorithm} in ${where(right.place)} is right.` }),
    },
  ]
}

function where({ document, row }: Place): string {
  return row === undefined ? document : `${document} (${row})`
}

function countStated(stated: readonly StatedChecksum[]): FixityTally {
  if (stated.length === 0) return NONE
  return Object.fromEntries(
    [...new Set(stated.map(({ algorithm }) => algorithm))].map((algorithm) => [algorithm, 1]),
  )
}
