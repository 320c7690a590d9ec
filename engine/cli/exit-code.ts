import type { ProcessEnd } from '../run/process.ts'

/** Documented in docs/reference/command-line.md; a test compares the two. */
export const exitCodes = {
  sound: 0,
  unexpected: 1,
  usage: 2,
  issues: 3,
  unchecked: 4,
  stopped: 130,
} as const

/** One exit code for everything that a run or sweep did: the one that needs attention most. */
export function exitCodeFor(ends: readonly ProcessEnd[]): number {
  if (ends.some(({ kind }) => kind === 'stopped')) return exitCodes.stopped
  const unchecked = ends.some(
    (end) =>
      end.kind === 'to be tried again' ||
      (end.kind === 'delivered' && end.delivered.status === 'Failed'),
  )
  if (unchecked) return exitCodes.unchecked
  const issues = ends.some(
    (end) => end.kind === 'delivered' && end.delivered.status === 'CompletedWithIssues',
  )
  return issues ? exitCodes.issues : exitCodes.sound
}
