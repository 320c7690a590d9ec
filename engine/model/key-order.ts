/**
 * Compare two keys as S3 lists them: ascending UTF-8 byte order.
 *
 * JavaScript compares UTF-16 code units, which differs only where one side has a surrogate
 * (a code point above U+FFFF) and the other a character from U+E000 to U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  const shortest = Math.min(a.length, b.length)
  for (let i = 0; i < shortest; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return codePointRank(left) - codePointRank(right)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above all others, so they rank after U+FFFF. */
function codePointRank(codeUnit: number): number {
  return codeUnit >= 0xd800 && codeUnit <= 0xdfff ? codeUnit + 0x10000 : codeUnit
}
