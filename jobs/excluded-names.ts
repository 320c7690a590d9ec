import type { ExcludedName } from '../engine/model/check.ts'

/** Whether a path's last segment is one of the names that are never part of a record. */
export function isExcludedName(path: string, excluded: readonly ExcludedName[]): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return excluded.some((rule) => matches(name, rule))
}

/** TDR's matching: exact or a regular expression over the whole name, each with its own case rule. */
function matches(name: string, rule: ExcludedName): boolean {
  if (rule.type === 'regex') return regexFor(rule).test(name)
  return rule.caseInsensitive
    ? name.toLowerCase() === rule.pattern.toLowerCase()
    : name === rule.pattern
}

const compiled = new Map<string, RegExp>()

function regexFor({ pattern, caseInsensitive }: ExcludedName): RegExp {
  const key = `${String(caseInsensitive)} ${pattern}`
  let regex = compiled.get(key)
  if (regex === undefined) {
    regex = new RegExp(`^(?:${pattern})$`, caseInsensitive ? 'iu' : 'u')
    compiled.set(key, regex)
  }
  return regex
}
