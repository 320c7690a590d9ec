import { count } from '../engine/model/count.ts'
import type { FileCheck, Job, JobSettings } from '../engine/model/check.ts'
import type { Finding } from '../engine/model/finding.ts'
import type { InventoryEntry } from '../engine/model/inventory.ts'
import { codes } from '../engine/model/codes.ts'
import { isExcludedName } from './excluded-names.ts'

/**
 * SHA-256 of nothing but a byte-order mark, alone or with a line end. The second is the one on
 * TDR's list of "empty" checksums: what Windows PowerShell writes for an empty text.
 */
const BOM_ONLY_SHA256: ReadonlySet<string> = new Set([
  'f1945cd6c19e56b3c1c78943ef5ec18116907a4ca1efc40a57d48ab1db7adfc5', // EF BB BF
  'f01a374e9c81e3db89b3a42940c4d6a5447684986a1296e42bf13f196eed6295', // EF BB BF 0D 0A
  'b42f2099187886def637d6aa840022266e05cb6c987a9394e708e23cd505eb46', // EF BB BF 0A
  'b3d510ef04275ca8e698e5b3cbb0ece3949ef9252f0cdc839e9ee347409a2209', // FF FE
  'f197692810d457e297fce9c5653b02581ff99a50852370f29d7e5fe47d9d37e6', // FE FF
])

const WINDOWS_RESERVED = /^(?:con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(?:\..*)?$/i
const WINDOWS_FORBIDDEN = /[<>:"|?*\\]/
// C0, DEL and C1 controls, zero-width characters, and the marks that reorder text.
// eslint-disable-next-line no-control-regex
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/
/** Paths that have nothing any of these look for: letters, digits, and dots and spaces inside a name. */
const ORDINARY =
  /^(?!.*(?:[ .](?:\/|$)|(?:^|\/)(?:con|prn|aux|nul|com\d|lpt\d)(?:[./]|$)))[\w .,()/&'+-]*$/i
const STRAY_BYTE = /[\udc80-\udcff]/

export type NameTally = { readonly excluded: number; readonly empty: number }

const NONE: NameTally = { excluded: 0, empty: 0 }

/** What a file's name, size and emptiness say before anybody looks inside. */
export const namesAndSizes: Job<NameTally> = {
  id: 'names-and-sizes',
  summary: 'Names that cannot be kept everywhere, system files, empty files, files over the limit',
  check: 'names',
  empty: NONE,
  merge: (a, b) => ({ excluded: a.excluded + b.excluded, empty: a.empty + b.empty }),
  notes: ({ excluded }) =>
    excluded === 0
      ? []
      : [`${count(excluded, 'system file is', 'system files are')} no part of the record.`],
  begin: checkNameAndSize,
}

function checkNameAndSize(entry: InventoryEntry, settings: JobSettings): FileCheck<NameTally> {
  let onlyNul = true
  return {
    feed(bytes) {
      // The first byte decides for nearly every file.
      if (onlyNul && bytes.length > 0) onlyNul = bytes[0] === 0 && isAllNul(bytes)
    },
    end(facts) {
      const { path, sizeBytes } = entry
      if (isExcludedName(path, settings.excludedNames)) {
        return {
          outcome: { kind: 'noted', findings: [{ code: 'NAME.EXCLUDED' }] },
          tally: { excluded: 1, empty: 0 },
        }
      }
      const findings = ORDINARY.test(path) ? [] : nameFindings(path)
      const isEmpty = sizeBytes === 0 && entry.irregular === undefined
      if (isEmpty) findings.push({ code: 'FILE.ZERO_BYTES' })
      else if (BOM_ONLY_SHA256.has(facts.digests.sha256 ?? ''))
        findings.push({ code: 'FILE.BOM_ONLY' })
      else if (onlyNul && facts.bytesRead > 0 && facts.bytesRead === sizeBytes)
        findings.push({ code: 'FILE.ALL_NUL' })
      if (sizeBytes > settings.maxFileBytes) {
        findings.push({
          code: 'FILE.TOO_LARGE',
          value: String(sizeBytes),
          expected: `at most ${settings.maxFileBytes}`,
        })
      }
      if (entry.statedSizeBytes !== undefined && entry.statedSizeBytes !== sizeBytes) {
        findings.push({
          code: 'FILE.SIZE_DIFFERS',
          value: String(sizeBytes),
          expected: String(entry.statedSizeBytes),
        })
      }
      return { outcome: outcomeOf(findings), tally: isEmpty ? { excluded: 0, empty: 1 } : NONE }
    },
  }
}

const NULS = new Uint8Array(64 * 1024)

/** By comparing blocks: a disk image of zeros is large, and a look at each byte takes longer than hashing it. */
function isAllNul(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += NULS.length) {
    const block = bytes.subarray(at, at + NULS.length)
    if (Buffer.compare(block, NULS.subarray(0, block.length)) !== 0) return false
  }
  return true
}

function nameFindings(path: string): Finding[] {
  const findings: Finding[] = []
  const segments = path.split('/')
  const unsafe = segments.find(
    (name) =>
      WINDOWS_RESERVED.test(name) ||
      WINDOWS_FORBIDDEN.test(name) ||
      name.endsWith(' ') ||
      name.endsWith('.'),
  )
  if (unsafe !== undefined) findings.push({ code: 'NAME.UNSAFE_ON_WINDOWS', value: unsafe })
  const invisible = segments.find((name) => INVISIBLE.test(name))
  if (invisible !== undefined) findings.push({ code: 'NAME.CONTROL_CHARACTER', value: invisible })
  const stray = segments.find((name) => !name.isWellFormed() && STRAY_BYTE.test(name))
  if (stray !== undefined) findings.push({ code: 'NAME.NOT_UTF8', value: stray })
  return findings
}

function outcomeOf(findings: readonly Finding[]) {
  if (findings.length === 0) return { kind: 'passed' } as const
  const failed = findings.some(({ code }) => codes[code].severity === 'error')
  return { kind: failed ? 'failed' : 'noted', findings } as const
}
