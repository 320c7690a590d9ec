/**
 * Consignment references in TDR's form, `{prefix}-{year}-{base25}`, without vowels and without
 * digits that look like letters. Alphabet and vectors: TDR's ADR 11.
 */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ34567'

/** The sequence number in base 25, most significant first; 0 is `B`. */
export function encodeSequence(sequence: bigint): string {
  if (sequence < 0n) throw new RangeError('a consignment sequence is never negative')
  const base = BigInt(ALPHABET.length)
  let text = ''
  let rest = sequence
  do {
    text = ALPHABET.charAt(Number(rest % base)) + text
    rest /= base
  } while (rest > 0n)
  return text
}

export function consignmentReference(prefix: string, year: number, sequence: bigint): string {
  return `${prefix}-${year}-${encodeSequence(sequence)}`
}

/** What a reference supplied by a sender may look like: it becomes part of keys and file names. */
export function isAcceptableReference(text: string): boolean {
  return /^[A-Z0-9][A-Z0-9-]{2,62}[A-Z0-9]$/i.test(text)
}
