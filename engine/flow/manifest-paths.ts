/**
 * How the paths of one manifest become paths below `records/`. Senders make manifests wherever
 * they happen to stand: inside the folder, above it, or on another machine's drive D:.
 */
export type PathRule = {
  /** Turn "\" into "/". */
  readonly backslashes: boolean
  /** Taken off the front; a path without it is left alone. */
  readonly strip: string
  /** Put on the front. */
  readonly add: string
}

export const asWritten: PathRule = { backslashes: false, strip: '', add: '' }

/**
 * The rules worth trying for a manifest with these paths, the plainest first.
 *
 * `topFolder` is the one folder that holds every record, if there is one: a manifest made inside
 * it lacks its name.
 */
export function candidateRules(
  samplePaths: readonly string[],
  topFolder: string | undefined,
): PathRule[] {
  const rules: PathRule[] = []
  const anyBackslash = samplePaths.some((path) => path.includes('\\'))
  for (const backslashes of anyBackslash ? [false, true] : [false]) {
    rules.push({ backslashes, strip: '', add: '' })
    if (topFolder !== undefined) rules.push({ backslashes, strip: '', add: `${topFolder}/` })
    for (const strip of leadingFolders(clean(samplePaths[0] ?? '', backslashes))) {
      rules.push({ backslashes, strip, add: '' })
      if (topFolder !== undefined) rules.push({ backslashes, strip, add: `${topFolder}/` })
    }
  }
  return rules
}

/** The rule under which most sample paths name a received file; the earliest of equals. */
export async function chooseRule(
  samplePaths: readonly string[],
  topFolder: string | undefined,
  isReceived: (path: string) => Promise<boolean>,
): Promise<PathRule> {
  let best = asWritten
  let bestHits = 0
  for (const rule of candidateRules(samplePaths, topFolder)) {
    let hits = 0
    for (const sample of samplePaths) {
      const path = applyRule(rule, sample)
      if (path !== undefined && (await isReceived(path))) hits++
    }
    if (hits === samplePaths.length) return rule
    if (hits > bestHits) {
      best = rule
      bestHits = hits
    }
  }
  return best
}

/** The path below `records/`, or undefined where it would leave the transfer. */
export function applyRule(rule: PathRule, written: string): string | undefined {
  let path = clean(written, rule.backslashes)
  if (rule.strip !== '' && path.startsWith(rule.strip)) path = path.slice(rule.strip.length)
  if (path === '' || path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path)) return undefined
  const segments = path.split('/')
  if (segments.includes('..') || path.includes('\0')) return undefined
  return rule.add + path
}

function clean(path: string, backslashes: boolean): string {
  let cleaned = backslashes ? path.replaceAll('\\', '/') : path
  while (cleaned.startsWith('./')) cleaned = cleaned.slice(2)
  return cleaned
}

/** `a/b/c.txt` -> `a/`, `a/b/`. */
function leadingFolders(path: string): string[] {
  const folders: string[] = []
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    folders.push(path.slice(0, slash + 1))
  }
  return folders
}
