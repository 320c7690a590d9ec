import type { CheckTally } from '../model/check.ts'
import { codes } from '../model/codes.ts'
import { count } from '../model/count.ts'
import type { Finding } from '../model/finding.ts'
import type { FindingGroup, Outcome } from '../model/outcome.ts'
import { visible } from './visible.ts'

/** How a report says things, whichever form it takes. */

export function done(tally: CheckTally): string {
  return `${number(tally.passed + tally.failed)} of ${number(tally.expected)}`
}

export function notDone(tally: CheckTally): string {
  const reasons = [
    tally.unchecked > 0 ? `${number(tally.unchecked)} unchecked` : '',
    tally.noBasis > 0 ? `${number(tally.noBasis)} nothing to compare` : '',
    tally.notConfigured > 0 ? `${number(tally.notConfigured)} not configured` : '',
  ].filter((reason) => reason !== '')
  return reasons.length === 0 ? '0' : reasons.join(', ')
}

export function number(value: number): string {
  return value.toLocaleString('en-GB')
}

/** `61.2 GB`, in powers of 1,000 as archives and disk makers count. */
export function bytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB']
  let scaled = value
  let unit = 0
  while (scaled >= 999.95 && unit < units.length - 1) {
    scaled /= 1000
    unit++
  }
  return unit === 0 ? count(value, 'byte', 'bytes') : `${scaled.toFixed(1)} ${units[unit] ?? ''}`
}

/** Where one finding is: path, or document, row and column, and what was found there. */
export function placeOf({ path, place, value, expected, detail }: Finding): string {
  const where = [
    path === undefined ? '' : visible(path),
    place === undefined
      ? ''
      : [
          visible(place.document),
          place.row === undefined ? '' : `row ${number(place.row)}`,
          place.column === undefined ? '' : `column ${place.column}`,
          place.columnName === undefined ? '' : `“${visible(place.columnName)}”`,
        ]
          .filter((part) => part !== '')
          .join(', '),
  ].filter((part) => part !== '')
  const what = [
    value === undefined ? '' : value === '' ? 'empty' : `found ${quote(value)}`,
    expected === undefined ? '' : `expected ${quote(expected)}`,
  ].filter((part) => part !== '')
  const text = [where.join(' — '), what.join(', ')].filter((part) => part !== '').join(': ')
  return detail === undefined
    ? text
    : [text, visible(detail)].filter((part) => part !== '').join('. ')
}

const QUOTED_CHARACTERS = 160

function quote(text: string): string {
  const shown = visible(text)
  return shown.length > QUOTED_CHARACTERS
    ? `“${shown.slice(0, QUOTED_CHARACTERS)}…” (${number(shown.length)} characters)`
    : `“${shown}”`
}

/** The groups each side has to deal with, in the report's order. */
export function groupsByActor(outcome: Outcome): {
  sender: FindingGroup[]
  archivist: FindingGroup[]
  nobody: FindingGroup[]
} {
  const needsAction = (group: FindingGroup) => codes[group.code].severity !== 'info'
  const of = (actor: 'sender' | 'archivist') =>
    outcome.findings.filter((group) => codes[group.code].actor === actor && needsAction(group))
  return {
    sender: of('sender'),
    archivist: of('archivist'),
    nobody: outcome.findings.filter(
      (group) => codes[group.code].actor === 'nobody' || !needsAction(group),
    ),
  }
}

export function custody(accepted: boolean): string {
  return accepted
    ? 'The archive has accepted this consignment.'
    : 'Nothing has been accepted yet. Do not delete your copies.'
}
