// Controls, invisible characters and marks that reorder text, and escaped bytes of names that are
// not UTF-8 (U+DC80..U+DCFF).
// eslint-disable-next-line no-control-regex
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]|[\udc80-\udcff](?<![\ud800-\udbff][\udc80-\udcff])/g

/** A sender's text as a person can see it: what would be invisible is written out. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const unit = character.charCodeAt(0)
    if (unit === 10) return '\\n'
    if (unit === 13) return '\\r'
    if (unit === 9) return '\\t'
    if (unit >= 0xdc80) return `\\x${(unit - 0xdc00).toString(16)}`
    return unit <= 0xff
      ? `\\x${unit.toString(16).padStart(2, '0')}`
      : `\\u${unit.toString(16).padStart(4, '0')}`
  })
}
