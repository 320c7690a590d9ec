/** The digest algorithms that a sender may state, and that one pass over a file can compute. */
export const algorithms = [
  'sha256',
  'sha512',
  'sha1',
  'md5',
  'crc32',
  'crc32c',
  'crc64nvme',
  'quickxor',
] as const
export type Algorithm = (typeof algorithms)[number]

export const algorithmNames: Readonly<Record<Algorithm, string>> = {
  sha256: 'SHA-256',
  sha512: 'SHA-512',
  sha1: 'SHA-1',
  md5: 'MD5',
  crc32: 'CRC-32',
  crc32c: 'CRC-32C',
  crc64nvme: 'CRC-64/NVME',
  quickxor: 'quickXorHash',
}

/**
 * What a match proves. 'accidents' means the algorithm finds damage but not a deliberate
 * change, and the report says so beside the figure.
 */
export const strength: Readonly<Record<Algorithm, 'tampering' | 'accidents'>> = {
  sha256: 'tampering',
  sha512: 'tampering',
  sha1: 'accidents',
  md5: 'accidents',
  crc32: 'accidents',
  crc32c: 'accidents',
  crc64nvme: 'accidents',
  quickxor: 'accidents',
}

/** Digest length in hexadecimal characters. */
export const hexLength: Readonly<Record<Algorithm, number>> = {
  sha256: 64,
  sha512: 128,
  sha1: 40,
  md5: 32,
  crc32: 8,
  crc32c: 8,
  crc64nvme: 16,
  quickxor: 40,
}

/** Lower-case hex by algorithm. CRCs are big-endian; quickXorHash is Microsoft's base64 as hex. */
export type Digests = Readonly<Partial<Record<Algorithm, string>>>

/** A checksum that somebody other than us stated for a file. */
export type StatedChecksum = {
  readonly algorithm: Algorithm
  /** Lower-case hex of the length in `hexLength`. */
  readonly value: string
  readonly place: Place
}

/** Where in a document something was said. Rows count as a spreadsheet or editor shows them, from 1. */
export type Place = {
  /** Key of the document below the transfer's root, for example `metadata/manifest.sha256`. */
  readonly document: string
  readonly row?: number
  /** Spreadsheet column letter, for example `L`. */
  readonly column?: string
  readonly columnName?: string
}
