/** In what two names differ that a reader would call the same. */
export type NearMatch = 'separator' | 'outer spaces' | 'case' | 'Unicode form'

const steps: readonly (readonly [NearMatch, (path: string) => string])[] = [
  ['separator', withSlashes],
  ['outer spaces', trimSegments],
  ['case', foldCase],
  ['Unicode form', (path) => path.normalize('NFC')],
]

/** Anything but printable ASCII without backslashes, empty segments, and spaces around a segment. */
const NEEDS_STEPS = /[^\x20-\x7e]|\\|\/\/|^\.?\/|(?:^|\/) | (?:\/|$)/

/**
 * A key that two paths share when they differ only in separators, spaces around a segment, case or
 * Unicode form. For telling near matches, never for matching.
 */
export function matchKey(path: string): string {
  if (!NEEDS_STEPS.test(path)) return path.toLowerCase()
  return steps.reduce((key, [, step]) => step(key), path)
}

/** Why two paths with one key are not the same, for the sentence that says so. */
export function nearMatchOf(a: string, b: string): readonly NearMatch[] {
  return steps.flatMap(([difference]) => {
    const others = steps.filter(([name]) => name !== difference)
    const keyOf = (path: string) => others.reduce((key, [, step]) => step(key), path)
    return keyOf(a) === keyOf(b) ? [] : [difference]
  })
}

function withSlashes(path: string): string {
  return path
    .replaceAll('\\', '/')
    .replace(/\/{2,}/g, '/')
    .replace(/^(?:\.\/|\/)/, '')
}

function trimSegments(path: string): string {
  return path
    .split('/')
    .map((segment) => segment.trim())
    .join('/')
}

/** Up, then down, so that ß and SS, or final and other sigma, come out the same. */
function foldCase(path: string): string {
  return path.toUpperCase().toLowerCase()
}
