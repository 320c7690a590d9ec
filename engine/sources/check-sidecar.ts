import { showValue } from '../metadata/cell-value.ts'
import { compileProfile, type CompiledProfile } from '../metadata/compile-profile.ts'
import { tdrProfile } from '../metadata/profile.ts'
import { CLOSURE_PROPERTIES, RowValidator, type Cell } from '../metadata/validate-row.ts'
import type { Finding } from '../model/finding.ts'
import type { FieldValue, Statement } from '../model/source.ts'

let compiled: CompiledProfile | undefined
const validators = new Map<string, RowValidator>()

/**
 * Check what a sidecar says about its record against the profile, in the types it has: a closure
 * of `true` is not "Closed". Fields of the source system itself (name, path, dates) are not the
 * sender's words and are not checked. `today` is YYYY-MM-DD.
 */
export function checkSidecar(
  { fields, path, place }: Statement,
  today: string,
  report: (finding: Finding) => void,
): void {
  const profile = (compiled ??= compileProfile(tdrProfile))
  const cells: Cell[] = []
  for (const [name, value] of Object.entries(supplied(fields ?? {}))) {
    const column = profile.columnOf.get(name)
    if (column !== undefined && column.protected !== true && name !== 'file_path')
      cells.push({ column, value })
  }
  if (cells.length === 0) return
  if (cells.some(({ column }) => column.property === 'closure_type')) {
    // What is left out is empty: a closed record with half of it is incomplete.
    for (const name of CLOSURE_PROPERTIES) {
      const column = profile.columnOf.get(name)
      if (column !== undefined && !cells.some((cell) => cell.column === column))
        cells.push({ column, value: null })
    }
  }
  const validator = validators.get(today) ?? new RowValidator(profile, today)
  validators.set(today, validator)
  for (const { code, property, expected, detail } of validator.validate(cells).problems) {
    const value = cells.find(({ column }) => column.property === property)?.value
    report({
      code,
      path,
      place: { ...place, columnName: property },
      ...(value === undefined ? {} : { value: showValue(value) }),
      ...(expected === undefined ? {} : { expected }),
      ...(detail === undefined ? {} : { detail }),
    })
  }
}

/** Hard drives say whether a title is public; the profile asks whether it is closed. */
function supplied(fields: Readonly<Record<string, FieldValue>>): Record<string, FieldValue> {
  const { title_public: titlePublic, description_public: descriptionPublic, ...rest } = fields
  return {
    ...rest,
    ...(typeof titlePublic === 'boolean' ? { title_closed: !titlePublic } : {}),
    ...(typeof descriptionPublic === 'boolean' ? { description_closed: !descriptionPublic } : {}),
  }
}
