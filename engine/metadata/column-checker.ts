import type { FieldValue } from '../model/source.ts'
import { readCell } from './cell-value.ts'
import type { CompiledProfile, Problem } from './compile-profile.ts'
import type { ProfileColumn } from './profile.ts'

export type CheckedCell = { readonly value: FieldValue; readonly problems: readonly Problem[] }

const MEMO_ENTRIES = 5_000
const MEMO_CHARACTERS = 64

/**
 * Checks the cells of one column. Most cells of most columns repeat, so what was found out about a
 * short text is kept; a column where few repeat is noticed and no longer remembered.
 */
export class ColumnChecker {
  readonly #profile: CompiledProfile
  readonly #column: ProfileColumn
  readonly #today: string
  readonly #empty: CheckedCell
  #last: { readonly cell: string; readonly checked: CheckedCell }
  #memo: Map<string, CheckedCell> | undefined = new Map()
  #hits = 0

  constructor(profile: CompiledProfile, column: ProfileColumn, today: string) {
    this.#profile = profile
    this.#column = column
    this.#today = today
    this.#empty = this.#read('')
    this.#last = { cell: '', checked: this.#empty }
  }

  check(cell: FieldValue): CheckedCell {
    if (cell === '') return this.#empty
    if (typeof cell !== 'string') return this.#read(cell)
    if (cell === this.#last.cell) return this.#last.checked
    const checked = this.#remembered(cell)
    this.#last = { cell, checked }
    return checked
  }

  #remembered(cell: string): CheckedCell {
    if (this.#memo === undefined || cell.length > MEMO_CHARACTERS) return this.#read(cell)
    const known = this.#memo.get(cell)
    if (known !== undefined) {
      this.#hits++
      return known
    }
    const checked = this.#read(cell)
    if (this.#memo.size < MEMO_ENTRIES) this.#memo.set(cell, checked)
    else if (this.#hits < MEMO_ENTRIES * 4) this.#memo = undefined
    else {
      this.#memo.clear()
      this.#hits = 0
    }
    return checked
  }

  #read(cell: FieldValue): CheckedCell {
    const { property, type } = this.#column
    const value = readCell(cell, type, this.#profile.profile.listSeparator)
    return { value, problems: this.#profile.checkValue(property, value, this.#today) }
  }
}
