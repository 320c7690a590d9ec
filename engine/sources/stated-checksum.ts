import { hexLength, type Algorithm, type Place, type StatedChecksum } from '../model/checksum.ts'
import type { Finding } from '../model/finding.ts'

/** Names of algorithms as tools spell them, without case, `-` and `_`. */
const spellings: Readonly<Record<string, Algorithm>> = {
  sha256: 'sha256',
  sha2256: 'sha256',
  sha512: 'sha512',
  sha1: 'sha1',
  sha: 'sha1',
  md5: 'md5',
  crc32: 'crc32',
  crc32c: 'crc32c',
  quickxor: 'quickxor',
  quickxorhash: 'quickxor',
}

/**
 * A checksum as a list states it, in hexadecimal of any case; quickXorHash may be Base64, as
 * Microsoft writes it. What cannot be compared is reported and left out.
 */
export function statedChecksum(
  algorithmName: string,
  written: string,
  place: Place,
  report: (finding: Finding) => void,
): StatedChecksum | undefined {
  const algorithm = spellings[algorithmName.toLowerCase().replace(/[-_ ]/g, '')]
  if (algorithm === undefined) {
    report({ code: 'SOURCE.ALGORITHM_UNKNOWN', place, value: algorithmName })
    return undefined
  }
  const value = algorithm === 'quickxor' ? quickXorHex(written) : written.toLowerCase()
  if (value.length === hexLength[algorithm] && /^[0-9a-f]+$/.test(value))
    return { algorithm, value, place }
  report({ code: 'SOURCE.CHECKSUM_UNREADABLE', place, value: written })
  return undefined
}

const QUICK_XOR_BASE64 = /^[A-Za-z0-9+/]{27}=$/

function quickXorHex(written: string): string {
  return QUICK_XOR_BASE64.test(written)
    ? Buffer.from(written, 'base64').toString('hex')
    : written.toLowerCase()
}
