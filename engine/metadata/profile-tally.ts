import type { MetadataProfile } from '../model/outcome.ts'
import { isDate, showValue } from './cell-value.ts'
import type { MappedColumn } from './columns.ts'
import type { Row } from './compile-profile.ts'
import type { Profile, ProfileColumn } from './profile.ts'
import type { ValidatedRow } from './validate-row.ts'

export function emptyMetadataProfile(profile: Profile): MetadataProfile {
  return {
    profileId: profile.id,
    profileVersion: profile.version,
    rows: 0,
    columnsMapped: [],
    columnsKept: [],
    normalised: [],
    open: 0,
    closed: 0,
    closureUnknown: 0,
  }
}

/** Associative and commutative, whatever documents and rows the parts are of. */
export function mergeMetadataProfiles(a: MetadataProfile, b: MetadataProfile): MetadataProfile {
  const ranges = [a.dateRange, b.dateRange].filter((range) => range !== undefined)
  const froms = ranges.map(({ from }) => from).sort()
  const tos = ranges.map(({ to }) => to).sort()
  const [from, to] = [froms[0], tos.at(-1)]
  return {
    profileId: a.profileId,
    profileVersion: a.profileVersion,
    rows: a.rows + b.rows,
    columnsMapped: distinct(
      [...a.columnsMapped, ...b.columnsMapped],
      ({ header, property }) => `${property}\0${header}`,
    ),
    columnsKept: [...new Set([...a.columnsKept, ...b.columnsKept])].sort(),
    normalised: sumNormalised([...a.normalised, ...b.normalised]),
    open: a.open + b.open,
    closed: a.closed + b.closed,
    closureUnknown: a.closureUnknown + b.closureUnknown,
    ...(from === undefined || to === undefined ? {} : { dateRange: { from, to } }),
  }
}

function distinct<T>(all: readonly T[], keyOf: (one: T) => string): T[] {
  const byKey = new Map(all.map((one) => [keyOf(one), one]))
  return [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? [])
}

function sumNormalised(all: MetadataProfile['normalised']): MetadataProfile['normalised'] {
  const byKey = new Map<string, MetadataProfile['normalised'][number]>()
  for (const one of all) {
    const key = `${one.column}\0${one.from}\0${one.to}`
    byKey.set(key, { ...one, count: one.count + (byKey.get(key)?.count ?? 0) })
  }
  return [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? [])
}

type Counted = {
  readonly column: string
  readonly from: string
  readonly to: string
  count: number
}

/** Gathers the profile of one document, row by row. */
export class ProfileTally {
  readonly #profile: Profile
  readonly #mapped: MappedColumn[] = []
  readonly #normalised = new Map<string, Map<string, Counted>>()
  readonly #counts = { rows: 0, open: 0, closed: 0, unknown: 0 }
  #from: string | undefined
  #to: string | undefined

  constructor(profile: Profile) {
    this.#profile = profile
  }

  columns(mapped: readonly MappedColumn[]): void {
    this.#mapped.push(...mapped)
  }

  row(validated: ValidatedRow): void {
    this.#counts.rows++
    this.#counts[validated.closure]++
    const date = dateOf(validated.values)
    if (date === undefined) return
    if (this.#from === undefined || date < this.#from) this.#from = date
    if (this.#to === undefined || date > this.#to) this.#to = date
  }

  /** A row that could not be read: counted, and never as open. */
  unreadableRow(): void {
    this.#counts.rows++
    this.#counts.unknown++
  }

  /** Note where a cell stands for something else than it says: a word for yes, a default. */
  cell(column: ProfileColumn, cell: string): void {
    const isFlag = column.type === 'flag'
    if (!isFlag && (cell !== '' || column.default === undefined)) return
    if (isFlag && cell === '') return
    let byText = this.#normalised.get(column.property)
    if (byText === undefined) this.#normalised.set(column.property, (byText = new Map()))
    const known = byText.get(cell)
    if (known !== undefined) known.count++
    else {
      const to = isFlag ? flagWord(cell) : column.default
      if (to !== undefined && to !== cell) {
        byText.set(cell, { column: column.header ?? column.property, from: cell, to, count: 1 })
      }
    }
  }

  result(): MetadataProfile {
    const { rows, open, closed, unknown } = this.#counts
    return mergeMetadataProfiles(emptyMetadataProfile(this.#profile), {
      ...emptyMetadataProfile(this.#profile),
      rows,
      open,
      closed,
      closureUnknown: unknown,
      columnsMapped: this.#mapped.flatMap(({ header, column }) =>
        column === undefined ? [] : [{ header, property: column.property }],
      ),
      columnsKept: this.#mapped.flatMap(({ header, column }) =>
        column === undefined ? [header] : [],
      ),
      normalised: [...this.#normalised.values()].flatMap((byText) => [...byText.values()]),
      ...(this.#from === undefined || this.#to === undefined
        ? {}
        : { dateRange: { from: this.#from, to: this.#to } }),
    })
  }
}

function flagWord(cell: string): string | undefined {
  const word = cell.toLowerCase()
  if (word === 'yes' || word === 'true') return 'true'
  return word === 'no' || word === 'false' ? 'false' : undefined
}

/** The date of the record, else the day it was last modified. */
function dateOf(row: Row): string | undefined {
  const date = showValue(row['end_date'] ?? row['date_last_modified'] ?? null)
  return isDate(date) ? date : undefined
}
