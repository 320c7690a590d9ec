import { createHash, hash as hashOnce } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { createCRC32, createCRC64, type IHasher } from 'hash-wasm'
import { algorithms, type Algorithm, type Digests } from '../model/checksum.ts'
import { QuickXorHash } from './quick-xor.ts'

/** Several digests of one file, fed once. */
export type DigestSet = {
  update(bytes: Uint8Array): void
  digests(): Digests
}

type Hasher = { update(bytes: Uint8Array): void; hex(): string }

const CRC32C_POLYNOMIAL = 0x82f63b78 // RFC 3720, reflected
const CRC64_NVME_POLYNOMIAL = '9a6c9329ac4bc9b5' // NVM Express base specification, reflected

/** hash-wasm compiles asynchronously, once a thread; its instances are then begun anew. */
let wasm: { readonly crc32c: IHasher; readonly crc64nvme: IHasher } | undefined
export async function loadDigests(): Promise<void> {
  wasm ??= {
    crc32c: await createCRC32(CRC32C_POLYNOMIAL),
    crc64nvme: await createCRC64(CRC64_NVME_POLYNOMIAL),
  }
}

/** Files of one thread take turns with the wasm instances, so the order of use is begin, feed, end. */
const hashers: Readonly<Record<Algorithm, () => Hasher>> = {
  sha256: () => nodeHasher('sha256'),
  sha512: () => nodeHasher('sha512'),
  sha1: () => nodeHasher('sha1'),
  md5: () => nodeHasher('md5'),
  crc32: () => {
    let value = 0
    return {
      update: (bytes) => void (value = crc32(bytes, value)),
      hex: () => value.toString(16).padStart(8, '0'),
    }
  },
  crc32c: () => wasmHasher('crc32c'),
  crc64nvme: () => wasmHasher('crc64nvme'),
  quickxor: () => new QuickXorHash(),
}

function nodeHasher(algorithm: 'sha256' | 'sha512' | 'sha1' | 'md5'): Hasher {
  const hash = createHash(algorithm)
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') }
}

function wasmHasher(algorithm: 'crc32c' | 'crc64nvme'): Hasher {
  // Several files of a thread may be in flight at once, so each keeps its own saved state.
  const hasher = wasm?.[algorithm]
  if (hasher === undefined) throw new Error('bug: loadDigests() has to come first')
  let state = hasher.init().save()
  return {
    update: (bytes) => void (state = hasher.load(state).update(bytes).save()),
    hex: () => hasher.load(state).digest('hex'),
  }
}

/** `loadDigests` has to have resolved once in this thread. */
export function createDigestSet(wanted: readonly Algorithm[]): DigestSet {
  const begun = inOrder(wanted).map((algorithm) => ({ algorithm, hasher: hashers[algorithm]() }))
  return {
    update(bytes) {
      for (const { hasher } of begun) hasher.update(bytes)
    },
    digests: () =>
      Object.fromEntries(begun.map(({ algorithm, hasher }) => [algorithm, hasher.hex()])),
  }
}

/** The digests of bytes that are all there: one call for nearly every file does what four would. */
export function digestsOf(bytes: Uint8Array, wanted: readonly Algorithm[]): Digests {
  if (wanted.length === 1 && wanted[0] === 'sha256')
    return { sha256: hashOnce('sha256', bytes, 'hex') }
  const set = createDigestSet(wanted)
  set.update(bytes)
  return set.digests()
}

/** Digests are stored in the order of the model's list, whatever the order they were stated in. */
function inOrder(wanted: readonly Algorithm[]): Algorithm[] {
  return algorithms.filter((algorithm) => wanted.includes(algorithm))
}
