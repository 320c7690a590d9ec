import type { FindingCode } from '../model/codes.ts'

const REDACTED = /^(.+?)(?:_R|_Redacted|_redacted)\d*$/s

/**
 * The name, without its extension, that a redacted copy's original has, by TDR's rules: what
 * stands before `_R`, `_Redacted` or `_redacted` and perhaps a number. undefined for any other name.
 */
export function redactedStem(name: string): string | undefined {
  return REDACTED.exec(withoutExtension(name))?.[1]
}

export function withoutExtension(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(0, dot) : name
}

export type RedactionCode = Extract<FindingCode, `REDACTION.${string}`>

/**
 * What is wrong about the redacted copies of one stem in one folder. `named` are the files whose
 * name without extension is the stem, `copies` those whose `redactedStem` it is. Exactly one
 * original, which may have another extension, and no two copies of one name.
 */
export function judgeRedactions(
  named: readonly string[],
  copies: readonly string[],
): ReadonlyMap<string, RedactionCode> {
  const wrong = new Map<string, RedactionCode>()
  for (const copy of copies) {
    const base = withoutExtension(copy)
    if (copies.some((other) => other !== copy && withoutExtension(other) === base))
      wrong.set(copy, 'REDACTION.DUPLICATE')
    else if (named.length === 0) wrong.set(copy, 'REDACTION.NO_ORIGINAL')
    else if (named.length > 1) wrong.set(copy, 'REDACTION.AMBIGUOUS_ORIGINAL')
  }
  return wrong
}
