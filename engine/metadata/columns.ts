import type { Place } from '../model/checksum.ts'
import type { Finding } from '../model/finding.ts'
import type { Profile, ProfileColumn } from './profile.ts'

export type MappedColumn = {
  /** Position in the table, from 0; a property that several headers name has the first. */
  readonly index: number
  readonly header: string
  readonly letter: string
  /** Undefined where the profile does not know the column: kept, not checked. */
  readonly column?: ProfileColumn
}

/**
 * Which column of a table is which of the profile, with what is wrong about the headers: missing,
 * unknown, twice, or spelled another way (case, spaces, SharePoint's `_x0020_`, the property name).
 */
export function mapColumns(
  profile: Profile,
  names: readonly string[],
  place: Pick<Place, 'document' | 'row'>,
  letterOf: (index: number) => string,
  report: (finding: Finding) => void,
): readonly MappedColumn[] {
  const exact = new Map<string, ProfileColumn>()
  const alike = new Map<string, ProfileColumn>()
  for (const column of profile.columns) {
    if (column.header !== undefined) exact.set(column.header, column)
    alike.set(normaliseHeader(column.header ?? column.property), column)
    alike.set(normaliseHeader(column.property), column)
  }
  const taken = new Set<string>()
  const mapped: MappedColumn[] = []
  for (const [index, name] of names.entries()) {
    if (name.trim() === '') continue
    const letter = letterOf(index)
    const at = { ...place, column: letter, columnName: name }
    const column = exact.get(name) ?? alike.get(normaliseHeader(name))
    const key = column?.property ?? `unknown:${name}`
    if (taken.has(key)) {
      report({ code: 'METADATA.COLUMN_DUPLICATE', place: at, value: name })
      continue
    }
    taken.add(key)
    if (column === undefined) report({ code: 'METADATA.COLUMN_UNKNOWN', place: at, value: name })
    else if (column.header !== undefined && column.header !== name) {
      report({ code: 'METADATA.COLUMN_SPELLING', place: at, value: name, expected: column.header })
    }
    mapped.push({ index, header: name, letter, ...(column === undefined ? {} : { column }) })
  }
  for (const property of profile.requiredHeaders) {
    if (taken.has(property)) continue
    const header =
      profile.columns.find((column) => column.property === property)?.header ?? property
    report({
      code: 'METADATA.COLUMN_MISSING',
      place: { ...place, columnName: header },
      expected: header,
    })
  }
  return mapped
}

/** Values by the profile's property where a header is one of its columns, else by the header. */
export function mapColumnNames(
  profile: Profile,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  const properties = new Map(
    profile.columns.flatMap(({ header, property }) =>
      header === undefined ? [] : [[normaliseHeader(header), property] as const],
    ),
  )
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      properties.get(normaliseHeader(name)) ?? name,
      value,
    ]),
  )
}

/** How many of `names` are columns of the profile, whatever their spelling. */
export function countKnownHeaders(profile: Profile, names: readonly string[]): number {
  const known = new Set(
    profile.columns.flatMap(({ header }) =>
      header === undefined ? [] : [normaliseHeader(header)],
    ),
  )
  return names.filter((name) => known.has(normaliseHeader(name))).length
}

export function normaliseHeader(name: string): string {
  return name
    .replace(/_x0020_|_/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase()
}
