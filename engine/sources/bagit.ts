import { hexLength, type Algorithm, type StatedChecksum } from '../model/checksum.ts'
import type { Finding } from '../model/finding.ts'
import type { BagDeclaration, SourceDocument, SourceKind, Statement } from '../model/source.ts'
import { readTextLines, sniffLineEncoding } from './lines.ts'

/** What a tag file of a bag is, by its name (RFC 8493, section 2). */
export type BagPart = {
  readonly kind: 'declaration' | 'info' | 'fetch' | 'payload manifest' | 'tag manifest'
  /** Of a manifest; undefined for one that we do not compute. */
  readonly algorithm?: Algorithm
}

const algorithmOf: Readonly<Record<string, Algorithm>> = {
  md5: 'md5',
  sha1: 'sha1',
  sha256: 'sha256',
  sha512: 'sha512',
}

/** Of a name at the root of a bag; undefined for any other file. */
export function bagPartOf(name: string): BagPart | undefined {
  if (name === 'bagit.txt') return { kind: 'declaration' }
  // Before version 0.96 it was package-info.txt.
  if (name === 'bag-info.txt' || name === 'package-info.txt') return { kind: 'info' }
  if (name === 'fetch.txt') return { kind: 'fetch' }
  const [, tag, algorithm] = /^(tag)?manifest-([A-Za-z0-9-]+)\.txt$/.exec(name) ?? []
  if (algorithm === undefined) return undefined
  const known = algorithmOf[algorithm.toLowerCase().replace('-', '')]
  return {
    kind: tag === undefined ? 'payload manifest' : 'tag manifest',
    ...(known === undefined ? {} : { algorithm: known }),
  }
}

const LABELS = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'us-ascii': 'utf-8',
  'iso-8859-1': 'windows-1252',
  'latin-1': 'windows-1252',
  'utf-16': 'utf-16',
} as const

/**
 * Read bagit.txt: two lines, the version and the encoding of the other tag files, UTF-8 without
 * byte order mark. `problem` says what is wrong; what could be read is used all the same.
 */
export function readDeclaration(bytes: Uint8Array): {
  readonly declaration: BagDeclaration
  readonly problem?: string
} {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  const problem = (words: string) => ({
    declaration: { version: [1, 0] as const, encoding: 'utf-8' as const },
    problem: words,
  })
  if (text.startsWith('\ufeff')) return problem('It begins with a byte order mark.')
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line !== '')
  const [, major, minor] = /^BagIt-Version: ?(\d+)\.(\d+)$/.exec(lines[0] ?? '') ?? []
  if (major === undefined || minor === undefined)
    return problem(`Its first line has to be like “BagIt-Version: 1.0”.`)
  const version = [Number(major), Number(minor)] as const
  if (version[0] > 1 || (version[0] === 1 ? version[1] > 0 : version[1] < 93))
    return problem(`There is no version ${major}.${minor}: 0.93 to 1.0 are known.`)
  const name = /^Tag-File-Character-Encoding: ?(\S+)$/.exec(lines[1] ?? '')?.[1]?.toLowerCase()
  const encoding = Object.entries(LABELS).find(([label]) => label === name)?.[1]
  const declared: BagDeclaration = { version, encoding: encoding ?? 'utf-8' }
  if (name === undefined)
    return {
      declaration: declared,
      problem: 'Its second line has to be like “Tag-File-Character-Encoding: UTF-8”.',
    }
  if (encoding === undefined)
    return { declaration: declared, problem: `The encoding ${name} is not one that we read.` }
  if (lines.length > 2) return { declaration: declared, problem: 'It has more than two lines.' }
  return { declaration: declared }
}

/** `bytes.count` of bag-info.txt's Payload-Oxum; 'unreadable' for anything else, or for two that differ. */
export async function readPayloadOxum(
  document: SourceDocument,
): Promise<{ readonly bytes: number; readonly files: number } | 'unreadable' | undefined> {
  const values = new Set<string>()
  let value: string | undefined
  const keep = () => {
    if (value !== undefined) values.add(value.trim())
    value = undefined
  }
  for await (const { text } of readTextLines(document, encodingOption(document))) {
    if (value !== undefined && /^[ \t]/.test(text)) {
      value += text.trim() // folded onto the next line
      continue
    }
    keep()
    value = /^Payload-Oxum\s*:\s*(.*)$/i.exec(text)?.[1]
  }
  keep()
  const [one, ...others] = values
  if (one === undefined) return undefined
  const [, bytes, files] = /^(\d+)\.(\d+)$/.exec(one) ?? []
  if (bytes === undefined || others.length > 0) return 'unreadable'
  return { bytes: Number(bytes), files: Number(files) }
}

/** A payload or tag manifest of a bag: only where the bag around it was recognised. */
export const bagManifest: SourceKind = {
  id: 'bagit-manifest',
  summary: 'a manifest of a BagIt bag',
  listsAllFiles: true,
  recognise: ({ bag }) => bag !== undefined,
  read,
}

const ENTRY = /^([0-9A-Fa-f]+)(?:[ \t]+(\*?)|[ \t]*(\*))(?=\S)(.+)$/s

async function* read(
  document: SourceDocument,
  report: (finding: Finding) => void,
): AsyncGenerator<Statement> {
  const name = document.key.slice(document.key.lastIndexOf('/') + 1)
  const part = bagPartOf(name)
  const algorithm = part?.algorithm
  if (algorithm === undefined) {
    report({ code: 'SOURCE.ALGORITHM_UNKNOWN', place: { document: document.key }, value: name })
    return
  }
  let oddForm = false
  for await (const { row, text } of readTextLines(document, encodingOption(document))) {
    if (text.trim() === '') continue
    const place = { document: document.key, row }
    const [, hash = '', star = '', alone = '', rest = ''] = ENTRY.exec(text) ?? []
    if (rest === '' || hash.length !== hexLength[algorithm] || text.includes('\ufffd')) {
      report({ code: 'MANIFEST.LINE_UNREADABLE', place, value: text })
      continue
    }
    const written = unescapePath(rest, document.bag)
    const path = written.replace(/^(?:\.\/)+/, '')
    if (!oddForm && (star !== '' || alone !== '' || path !== written)) {
      oddForm = true // once a manifest: the tool that wrote it does it everywhere
      report({ code: 'BAGIT.ENTRY_FORM', place, value: text.slice(hash.length).trim() })
    }
    if (!isInside(path, part?.kind === 'payload manifest')) {
      report({ code: 'BAGIT.PATH_OUTSIDE', place, value: rest })
      continue
    }
    const checksum: StatedChecksum = { algorithm, value: hash.toLowerCase(), place }
    yield { place, path, checksums: [checksum] }
  }
}

/** Payload lies below data/, and nothing leads out of the bag, on this system or another. */
function isInside(path: string, payload: boolean): boolean {
  if (/^(?:[/~\\]|[A-Za-z]:)/.test(path) || path.includes('\0')) return false
  if (path.split(/[/\\]/).includes('..')) return false
  return payload ? path.startsWith('data/') : !path.startsWith('data/')
}

/** From version 1.0 on, line breaks and the percent sign itself are written %0A, %0D and %25. */
function unescapePath(path: string, bag: BagDeclaration | undefined): string {
  if (bag === undefined || bag.version[0] < 1) return path
  return path.replace(/%(0A|0D|25)/gi, (_all, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
}

function encodingOption({ bag, head }: SourceDocument): { readonly encoding?: string } {
  if (bag === undefined) return {}
  if (bag.encoding !== 'utf-16') return { encoding: bag.encoding }
  // A byte order mark says which; without one it is big-endian (RFC 2781, 4.3).
  return sniffLineEncoding(head) === 'utf-8' ? { encoding: 'utf-16be' } : {}
}
