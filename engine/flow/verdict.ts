import { type Actor, type CheckId, checks } from '../model/code-facts.ts'
import { codes } from '../model/codes.ts'
import { count } from '../model/count.ts'
import type { FindingGroup, Outcome, Status, Verdict } from '../model/outcome.ts'

export type VerdictFacts = {
  readonly uncheckedCount: number
  readonly groups: readonly FindingGroup[]
  /** Checks that the configuration requires and that were not configured. */
  readonly requiredNotConfigured: readonly CheckId[]
}

/** TDR's word for each verdict. */
const statusOf: Readonly<Record<Verdict, Status>> = {
  READY: 'Completed',
  'READY WITH WARNINGS': 'Completed',
  'NEEDS SENDER': 'CompletedWithIssues',
  'NEEDS ARCHIVIST': 'CompletedWithIssues',
  'NOT PROCESSED': 'Failed',
}

/**
 * The verdict on a consignment, and apart from it what each side has to do: one unreadable file
 * makes a consignment NOT PROCESSED but hides nothing of the sender's list.
 */
export function decideVerdict(
  facts: VerdictFacts,
): Pick<Outcome, 'verdict' | 'status' | 'sentence' | 'actions'> {
  const sender = problemsFor('sender', facts.groups)
  const archivist = problemsFor('archivist', facts.groups) + facts.requiredNotConfigured.length
  const warnings = facts.groups.filter(({ code }) => codes[code].severity === 'warning')
  const verdict = verdictOf(facts.uncheckedCount, sender, archivist, warnings.length)
  return {
    verdict,
    status: statusOf[verdict],
    sentence: sentenceFor(verdict, { ...facts, sender, archivist, warnings: total(warnings) }),
    actions: { sender, archivist, ours: facts.uncheckedCount },
  }
}

function verdictOf(
  unchecked: number,
  sender: number,
  archivist: number,
  warnings: number,
): Verdict {
  if (unchecked > 0) return 'NOT PROCESSED'
  if (sender > 0) return 'NEEDS SENDER'
  if (archivist > 0) return 'NEEDS ARCHIVIST'
  return warnings > 0 ? 'READY WITH WARNINGS' : 'READY'
}

/** How many kinds of problem this actor has to deal with: a thousand bad rows of one kind are one task. */
function problemsFor(actor: Actor, groups: readonly FindingGroup[]): number {
  return groups.filter(
    ({ code }) => codes[code].actor === actor && codes[code].severity === 'error',
  ).length
}

function total(groups: readonly FindingGroup[]): number {
  return groups.reduce((sum, group) => sum + group.count, 0)
}

type SentenceFacts = VerdictFacts & {
  readonly sender: number
  readonly archivist: number
  readonly warnings: number
}

function sentenceFor(verdict: Verdict, facts: SentenceFacts): string {
  const missing = facts.requiredNotConfigured.map((check) => checks[check].toLowerCase()).join(', ')
  switch (verdict) {
    case 'READY':
      return 'Every check that could be made was passed.'
    case 'READY WITH WARNINGS':
      return `Every check was passed; ${count(facts.warnings, 'thing is', 'things are')} worth reading before it is accepted.`
    case 'NEEDS SENDER':
      return `The sender has ${count(facts.sender, 'thing', 'things')} to fix and then sends a correction.`
    case 'NEEDS ARCHIVIST':
      return missing === ''
        ? `The sender has nothing to fix; the archivist has ${count(facts.archivist, 'thing', 'things')} to decide.`
        : `The archivist has to decide: a check that is required here was not configured (${missing}).`
    case 'NOT PROCESSED': {
      const also =
        facts.sender === 0
          ? ''
          : ` The sender has ${count(facts.sender, 'thing', 'things')} to fix all the same.`
      return `${count(facts.uncheckedCount, 'file', 'files')} could not be checked; that is our fault, not the sender's.${also}`
    }
  }
}
