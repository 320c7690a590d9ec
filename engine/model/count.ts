/** `1 file`, `2 files`, `1,234 files`. */
export function count(number: number, one: string, many: string): string {
  return number === 1 ? `1 ${one}` : `${number.toLocaleString('en-GB')} ${many}`
}
