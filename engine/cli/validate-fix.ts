import { existsSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { tdrProfile } from '../metadata/profile.ts'
import { codes } from '../model/codes.ts'
import { count } from '../model/count.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument } from '../model/source.ts'
import { visible } from '../report/visible.ts'
import { placeOf } from '../report/words.ts'
import { Refusal } from '../run/decisions.ts'
import { fixMetadata, type MetadataChange } from '../sources/fix-metadata.ts'

const SHOWN = 200

export type FixedFile =
  | { readonly kind: 'nothing to correct' }
  | {
      readonly kind: 'corrected'
      readonly copy: string
      /** Every change, one a line. */
      readonly list: string
      readonly changes: readonly MetadataChange[]
    }

/**
 * `table.fixed.csv` beside `table.csv`, and `table.changes.txt` with every change. Never over
 * anything that is there, and not at all where a copy would hide damage. Throws Refusal.
 */
export async function fixFile(document: SourceDocument, path: string): Promise<FixedFile> {
  const stem = join(dirname(path), basename(path).replace(/\.csv$/i, ''))
  const [copy, list] = [`${stem}.fixed.csv`, `${stem}.changes.txt`]
  for (const file of [copy, list])
    if (existsSync(file)) throw new Refusal(`${file} is there already; move it away first`)
  const changes: MetadataChange[] = []
  const refusals: Finding[] = []
  const pieces: string[] = []
  for await (const piece of fixMetadata(
    document,
    tdrProfile,
    (change) => changes.push(change),
    (finding) => refusals.push(finding),
  ))
    pieces.push(piece)
  const refusal = refusals[0]
  if (refusal !== undefined)
    throw new Refusal(
      `no corrected copy was written, because it would hide this: ${codes[refusal.code].sentence} ${placeOf(refusal)}`,
    )
  if (changes.length === 0) return { kind: 'nothing to correct' }
  write(copy, pieces)
  write(list, [`${changes.map(inWords).join('\n')}\n`])
  return { kind: 'corrected', copy, list, changes }
}

export function fixedInWords(fixed: FixedFile): string {
  if (fixed.kind === 'nothing to correct')
    return 'Nothing was found that can be corrected without guessing; no copy was written.\n'
  const { changes, copy, list } = fixed
  const shown = changes.slice(0, SHOWN).map((change) => `changed ${inWords(change)}`)
  if (changes.length > SHOWN) shown.push(`and ${changes.length - SHOWN} more`)
  const made = `${count(changes.length, 'change', 'changes')}; the copy is ${copy}`
  return `${[...shown, made].join('\n')}, and the list of changes ${list}\n`
}

function inWords({ what, place, from, to }: MetadataChange): string {
  const where = [
    place.row === undefined ? '' : `, row ${place.row}`,
    place.column === undefined ? '' : `, column ${place.column}`,
  ].join('')
  const was = from === '' ? '' : ` “${visible(from)}”`
  return to === '' ? `${what}${where}:${was || ' empty'}` : `${what}${where}:${was} to “${to}”`
}

function write(file: string, pieces: readonly string[]): void {
  try {
    for (const [i, piece] of pieces.entries())
      writeFileSync(file, piece, { flag: i === 0 ? 'wx' : 'a' })
  } catch (error) {
    if (error instanceof Error && 'code' in error)
      throw new Refusal(`${file} cannot be written (${String(error.code)})`)
    throw error
  }
}
