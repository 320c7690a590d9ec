import type { ExcludedName } from '../engine/model/check.ts'

/** Whether a path's last segment is one of the names that are never part of a record. */
export function isExcludedName(path: string, excluded: readonly ExcludedName[]): boolean {
  let matches = matchers.get(excluded)
  if (matches === undefined) {
    matches = matcherFor(excluded)
    matchers.set(excluded, matches)
  }
  return matches(path.slice(path.lastIndexOf('/') + 1))
}

const matchers = new WeakMap<readonly ExcludedName[], (name: string) => boolean>()

/** TDR's matching: exact or a regular expression over the whole name, each with its own case rule. */
function matcherFor(excluded: readonly ExcludedName[]): (name: string) => boolean {
  const exact = new Set<string>()
  const inAnyCase = new Set<string>()
  const regexes: RegExp[] = []
  for (const { pattern, type, caseInsensitive } of excluded) {
    if (type === 'regex') regexes.push(new RegExp(`^(?:${pattern})$`, caseInsensitive ? 'iu' : 'u'))
    else if (caseInsensitive) inAnyCase.add(pattern.toLowerCase())
    else exact.add(pattern)
  }
  return (name) =>
    exact.has(name) ||
    (inAnyCase.size > 0 && inAnyCase.has(name.toLowerCase())) ||
    regexes.some((regex) => regex.test(name))
}
