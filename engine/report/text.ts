import { checks } from '../model/code-facts.ts'
import { codes } from '../model/codes.ts'
import { count } from '../model/count.ts'
import type { FindingGroup, Outcome } from '../model/outcome.ts'
import { visible } from './visible.ts'
import {
  bytes,
  custody,
  done,
  groupsByActor,
  metadataInWords,
  notDone,
  number,
  placeOf,
} from './words.ts'

/** The report as text for a terminal: the same order as the page, without the tables of files. */
export function renderText(outcome: Outcome): string {
  const { totals, transfer } = outcome
  const groups = groupsByActor(outcome)
  return [
    `CONSIGNMENT ${outcome.reference}  -  ${outcome.verdict}`,
    outcome.sentence,
    [
      transfer.transferringBody,
      transfer.series,
      `${transfer.source} transfer ${transfer.transferId}`,
      `attempt ${outcome.attempt}`,
    ]
      .filter((part) => part !== undefined)
      .map(visible)
      .join(', '),
    custody(false),
    '',
    [
      count(totals.files, 'file', 'files'),
      bytes(totals.bytes),
      count(totals.folders, 'folder', 'folders'),
    ].join(' | '),
    '',
    checkTable(outcome),
    ...[
      metadata(outcome),
      section('FIX THESE (sender)', groups.sender),
      section('DECIDE (archivist)', groups.archivist),
      section('FOR INFORMATION', groups.nobody),
      outcome.unchecked.length === 0
        ? ''
        : `OUR SIDE\n${outcome.unchecked.map((group) => `  ${number(group.count)} ${group.reason}: ${group.examples[0]?.message ?? ''}`).join('\n')}\n`,
    ].filter((part) => part !== ''),
    'CHANGED BY US: nothing. Names and bytes are kept as sent.',
    '',
  ].join('\n')
}

function checkTable(outcome: Outcome): string {
  const rows = [
    ['CHECK', 'DONE', 'PASSED', 'FAILED', 'NOT DONE'],
    ...outcome.checks.map(({ check, tally }) => [
      checks[check],
      done(tally),
      number(tally.passed),
      number(tally.failed),
      notDone(tally),
    ]),
  ]
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return (
    rows
      .map((row) =>
        row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd(),
      )
      .join('\n') + '\n'
  )
}

function metadata({ metadata: profile }: Outcome): string {
  if (profile === undefined) return ''
  const { summary, columns, normalised } = metadataInWords(profile)
  return `METADATA\n${[summary, ...columns, ...normalised].map((line) => `  ${line}`).join('\n')}\n`
}

function section(title: string, groups: readonly FindingGroup[]): string {
  if (groups.length === 0) return ''
  const parts = groups.map((group, i) => {
    const facts = codes[group.code]
    const examples = group.examples.map((finding) => `     ${placeOf(finding)}`).join('\n')
    const more =
      group.count > group.examples.length
        ? `\n     and ${number(group.count - group.examples.length)} more in findings.csv`
        : ''
    return ` ${i + 1}. ${group.code}  ${number(group.count)}x  ${facts.sentence}\n${examples}${more}\n    -> ${facts.howToFix}`
  })
  return `${title}\n${parts.join('\n')}\n`
}
