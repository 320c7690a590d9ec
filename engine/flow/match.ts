import type { Place, StatedChecksum } from '../model/checksum.ts'
import type { Finding } from '../model/finding.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import type { FieldValue } from '../model/source.ts'

/** A statement on its way to its file: what of it the inventory keeps. */
export type Claimed = {
  /** Path below records/ that it names, after the manifest's path rule. */
  readonly target: string
  readonly writtenPath: string
  readonly place: Place
  /** Documents of a correction supersede those of the attempt it corrects. */
  readonly generation: number
  readonly checksums: readonly StatedChecksum[]
  readonly sizeBytes?: number
  /** A metadata row, not just a line of a manifest. */
  readonly isRow: boolean
  readonly noChecksumBecause?: string
  readonly mayRepeat?: true
  /** What the statement says of fields that must not be edited. */
  readonly fileName?: string
  readonly lastModified?: string
  /** All that a metadata row says, where several documents have rows. */
  readonly fields?: Readonly<Record<string, FieldValue>>
}

/** A file that documents name and that is not there. */
export type MissingFile = {
  readonly path: string
  readonly place: Place
  readonly stated: readonly StatedChecksum[]
  readonly sizeBytes?: number
  /** Named by metadata rows only, by no manifest. */
  readonly onlyInMetadata: boolean
}

/** Fold what was claimed of one received file into its inventory entry. */
export function applyClaims(entry: InventoryEntry, claims: readonly Claimed[]): InventoryEntry {
  if (claims.length === 0) return entry
  const newest = withoutTwins(supersede(claims))
  // One document that is right does not excuse another that is wrong.
  const sizes = newest.flatMap(({ sizeBytes }) => (sizeBytes === undefined ? [] : [sizeBytes]))
  const size = sizes.find((one) => one !== entry.sizeBytes) ?? sizes[0]
  const row = newest.find((claim) => claim.isRow)?.place
  const none = newest.find((claim) => claim.noChecksumBecause !== undefined)?.noChecksumBecause
  return {
    ...entry,
    stated: distinctChecksums(newest),
    ...(size === undefined ? {} : { statedSizeBytes: size }),
    ...(row === undefined ? {} : { row }),
    ...(none === undefined ? {} : { noChecksumBecause: none }),
  }
}

/** Second and later rows for one file in one document, which only a person can choose between. */
export function duplicateRows(claims: readonly Claimed[]): Finding[] {
  const first = new Map<string, Claimed>()
  const findings: Finding[] = []
  for (const claim of claims) {
    if (!claim.isRow) continue
    const earlier = first.get(claim.place.document)
    if (earlier === undefined) first.set(claim.place.document, claim)
    else {
      findings.push({
        code: 'METADATA.DUPLICATE_ROW',
        path: claim.target,
        place: claim.place,
        ...(earlier.place.row === undefined
          ? {}
          : { detail: `Row ${earlier.place.row} names the same file.` }),
      })
    }
  }
  return findings
}

/**
 * Fields that rows of different documents give different values. What only one of them says is no
 * contradiction: documents may complete each other.
 */
export function contradictoryRows(claims: readonly Claimed[]): Finding[] {
  const said = new Map<string, { readonly value: FieldValue; readonly place: Place }>()
  const findings: Finding[] = []
  for (const { target, place, isRow, fields } of supersede(claims)) {
    if (!isRow || fields === undefined) continue
    for (const [property, value] of Object.entries(fields)) {
      if (isEmpty(value)) continue
      const first = said.get(property)
      if (first === undefined) said.set(property, { value, place })
      else if (first.place.document !== place.document && !saySame(first.value, value)) {
        findings.push({
          code: 'METADATA.CONTRADICTORY_ROWS',
          path: target,
          place: {
            document: place.document,
            ...rowOf(place),
            columnName: property.replaceAll('_', ' '),
          },
          value: inWords(value),
          expected: inWords(first.value),
          detail: `The other is ${first.place.document}${first.place.row === undefined ? '' : `, row ${first.place.row}`}.`,
        })
      }
    }
  }
  return findings
}

function isEmpty(value: FieldValue): boolean {
  return value === null || (typeof value === 'string' && value.trim() === '')
}

/** Kinds of documents write yes, dates and case in their own ways. */
function saySame(a: FieldValue, b: FieldValue): boolean {
  const plain = (value: FieldValue) => inWords(value).trim().toLowerCase()
  const [x, y] = [plain(a), plain(b)]
  const isDay = /^\d{4}-\d\d-\d\d(?:t|$)/
  return x === y || (isDay.test(x) && isDay.test(y) && dayOf(x) === dayOf(y))
}

function inWords(value: FieldValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * Metadata rows that name another file name than the file has, or another modification date than
 * a list of the source system: both come from the system and must not be edited.
 */
export function protectedDiffers(claims: readonly Claimed[]): Finding[] {
  const findings: Finding[] = []
  const systemDate = claims.find((claim) => !claim.isRow && claim.lastModified !== undefined)
  for (const { isRow, target, place, fileName, lastModified } of claims) {
    if (!isRow) continue
    const differs = (columnName: string, value: string, expected: string) =>
      findings.push({
        code: 'METADATA.PROTECTED_DIFFERS',
        path: target,
        place: { document: place.document, ...rowOf(place), columnName },
        value,
        expected,
      })
    const name = target.slice(target.lastIndexOf('/') + 1)
    if (fileName !== undefined && fileName.normalize('NFC') !== name.normalize('NFC'))
      differs('filename', fileName, name)
    const stated = systemDate?.lastModified
    if (lastModified !== undefined && stated !== undefined && dayOf(lastModified) !== dayOf(stated))
      differs('date last modified', lastModified, dayOf(stated))
  }
  return findings
}

function rowOf({ row }: Place): Pick<Place, 'row'> {
  return row === undefined ? {} : { row }
}

/** The civil day as written: a date is never moved by a time zone. */
function dayOf(text: string): string {
  return text.slice(0, 10)
}

export function missingFile(target: string, claims: readonly Claimed[]): MissingFile | undefined {
  const newest = supersede(claims)
  const first = newest[0]
  if (first === undefined) return undefined
  const size = newest.find((claim) => claim.sizeBytes !== undefined)?.sizeBytes
  return {
    path: target,
    place: first.place,
    stated: distinctChecksums(newest),
    ...(size === undefined ? {} : { sizeBytes: size }),
    onlyInMetadata: newest.every((claim) => claim.isRow),
  }
}

/** Of each kind of statement, only those of the newest generation count. */
function supersede(claims: readonly Claimed[]): Claimed[] {
  const newest = Math.max(...claims.map((claim) => claim.generation))
  const ofNewest = claims.filter((claim) => claim.generation === newest)
  const hasRow = ofNewest.some((claim) => claim.isRow)
  const hasLine = ofNewest.some((claim) => !claim.isRow)
  return claims.filter((claim) => claim.generation === newest || !(claim.isRow ? hasRow : hasLine))
}

/** Of several files of one name none can be told to be this one: their checksums are no basis. */
function withoutTwins(claims: readonly Claimed[]): readonly Claimed[] {
  const twins = (claim: Claimed) =>
    claim.mayRepeat === true &&
    claims.filter(({ place }) => place.document === claim.place.document).length > 1
  return claims.map((claim) => {
    if (!twins(claim)) return claim
    const { sizeBytes: _size, ...rest } = claim
    return {
      ...rest,
      checksums: [],
      noChecksumBecause: 'the list names several files of this name in this folder',
    }
  })
}

function distinctChecksums(claims: readonly Claimed[]): StatedChecksum[] {
  const distinct = new Map<string, StatedChecksum>()
  for (const { checksums } of claims) {
    for (const checksum of checksums) {
      const key = `${checksum.algorithm}:${checksum.value}`
      if (!distinct.has(key)) distinct.set(key, checksum)
    }
  }
  return [...distinct.values()]
}

/** Join two ascending sequences on their keys; groups on the right, single values on the left. */
export async function* joinSorted<L, R>(
  left: AsyncIterable<L> | Iterable<L>,
  leftKey: (value: L) => string,
  right: Iterable<R>,
  rightKey: (value: R) => string,
  compare: (a: string, b: string) => number,
): AsyncGenerator<{ key: string; left: L | undefined; right: R[] }> {
  const groups = groupSorted(right, rightKey)[Symbol.iterator]()
  let group = groups.next()
  for await (const value of left) {
    const key = leftKey(value)
    while (group.done !== true && compare(group.value.key, key) < 0) {
      yield { key: group.value.key, left: undefined, right: group.value.values }
      group = groups.next()
    }
    if (group.done !== true && group.value.key === key) {
      yield { key, left: value, right: group.value.values }
      group = groups.next()
    } else {
      yield { key, left: value, right: [] }
    }
  }
  for (; group.done !== true; group = groups.next()) {
    yield { key: group.value.key, left: undefined, right: group.value.values }
  }
}

/** Runs of equal keys in an ascending sequence. */
export function* groupSorted<T>(
  values: Iterable<T>,
  keyOf: (value: T) => string,
): Generator<{ key: string; values: T[] }> {
  let current: { key: string; values: T[] } | undefined
  for (const value of values) {
    const key = keyOf(value)
    if (current !== undefined && current.key === key) current.values.push(value)
    else {
      if (current !== undefined) yield current
      current = { key, values: [value] }
    }
  }
  if (current !== undefined) yield current
}
