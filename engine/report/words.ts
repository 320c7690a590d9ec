import type { CheckTally } from '../model/check.ts'
import type { Place } from '../model/checksum.ts'
import { codes } from '../model/codes.ts'
import { count } from '../model/count.ts'
import type { Finding } from '../model/finding.ts'
import type { FindingGroup, MetadataProfile, Outcome } from '../model/outcome.ts'
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
          place.row === undefined ? '' : `${rowWord(place)} ${number(place.row)}`,
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

/** Tables have rows, as a spreadsheet counts them; XML, JSON and lists have lines. */
function rowWord({ document, column }: Place): 'row' | 'line' {
  const isTable = /\.(?:csv|tsv|tab)$/i.test(document) || /^[A-Z]+$/.test(column ?? '')
  return isTable ? 'row' : 'line'
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

/** What the metadata says as a whole: one sentence or more, then what became of its columns and cells. */
export function metadataInWords(profile: MetadataProfile): {
  readonly summary: string
  readonly columns: readonly string[]
  readonly normalised: readonly string[]
} {
  const { rows, open, closed, closureUnknown, dateRange } = profile
  const dates = dateRange === undefined ? '' : ` Dates from ${dateRange.from} to ${dateRange.to}.`
  return {
    summary: `${count(rows, 'row', 'rows')} checked against ${profile.profileId} ${profile.profileVersion}: ${number(open)} open, ${number(closed)} closed, ${number(closureUnknown)} not known.${dates}`,
    columns: [
      profile.columnsMapped.length === 0
        ? 'No column is one of the profile.'
        : `Columns used: ${profile.columnsMapped.map(columnInWords).join(', ')}.`,
      ...(profile.columnsKept.length === 0
        ? []
        : [`Kept but not used: ${profile.columnsKept.map(visible).join(', ')}.`]),
    ],
    normalised: profile.normalised.map(
      ({ column, from, to, count: times }) =>
        `${visible(column)}: ${from === '' ? 'empty' : `“${visible(from)}”`} read as “${visible(to)}” (${number(times)})`,
    ),
  }
}

/** With the profile's own name for it, where that says more than the header. */
function columnInWords({ header, property }: MetadataProfile['columnsMapped'][number]): string {
  const isSame = header.trim().toLowerCase() === property.replaceAll('_', ' ').toLowerCase()
  return isSame || header === property ? visible(header) : `${visible(header)} (${property})`
}
