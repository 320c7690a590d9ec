export type RedactionPairs = {
  readonly pairs: readonly { readonly redacted: string; readonly original: string }[]
  readonly problems: readonly { readonly name: string; readonly problem: RedactionProblem }[]
}

/** TDR's words for a redacted copy whose original cannot be told. */
export type RedactionProblem = 'NoOriginalFile' | 'AmbiguousOriginalFile' | 'DuplicateFileName'

const REDACTED = /^(.+?)(?:_R|_Redacted|_redacted)\d*$/s

/**
 * Which file of one folder is the redacted copy of which, by TDR's rules: the name without its
 * extension ends in `_R`, `_Redacted` or `_redacted` and perhaps a number, and what stands before
 * is the original's name. The original may have another extension, but then only one file may
 * have that name; two redacted copies of one name are duplicates.
 */
export function pairRedactions(names: readonly string[]): RedactionPairs {
  const byBase = new Map<string, string[]>()
  for (const name of names) {
    const base = baseOf(name)
    const same = byBase.get(base)
    if (same === undefined) byBase.set(base, [name])
    else same.push(name)
  }
  const pairs: { redacted: string; original: string }[] = []
  const problems: { name: string; problem: RedactionProblem }[] = []
  for (const name of [...names].sort()) {
    const base = baseOf(name)
    const stem = REDACTED.exec(base)?.[1]
    if (stem === undefined) continue
    if ((byBase.get(base)?.length ?? 0) > 1) {
      problems.push({ name, problem: 'DuplicateFileName' })
      continue
    }
    const [original, ...others] = byBase.get(stem) ?? []
    if (original === undefined) problems.push({ name, problem: 'NoOriginalFile' })
    else if (others.length > 0) problems.push({ name, problem: 'AmbiguousOriginalFile' })
    else pairs.push({ redacted: name, original })
  }
  return { pairs, problems }
}

function baseOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(0, dot) : name
}
