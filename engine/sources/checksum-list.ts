import { hexLength, type Algorithm } from '../model/checksum.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument, SourceKind, Statement } from '../model/source.ts'
import { headText, readTextLines, type Line } from './lines.ts'

/**
 * What md5sum, sha1sum, sha256sum, sha512sum, shasum and cksum write, and what people make of it:
 * text and binary mode, `--tag`, `-z`, escaped names, tabs, a size in front (sha256deep -z), and a
 * file that holds nothing but one hash.
 */
export const checksumList: SourceKind = {
  id: 'checksum-list',
  summary: 'checksums as sha256sum, md5sum and their like write them',
  listsAllFiles: true,
  recognise,
  read,
}

const TAGGED = /^(\\?)([A-Z0-9/-]+) \((.*)\) = ([0-9a-fA-F]+)$/s
/** As coreutils writes it: one space, the mode, and the name to its last character. */
const EXACT = /^(\\?)([0-9a-fA-F]{32,128}) [ *](.+)$/s
/** As people retype it: tabs, more spaces, a size in front. */
const PLAIN = /^(\\?)(?:\s*\d+\s+)?([0-9a-fA-F]{32,128})(?:[ \t]+[ *]?|[ \t]*\*)(?=\S)(.*)$/s
const HASH_ALONE = /^([0-9a-fA-F]{32,128})$/

const tagNames: Readonly<Record<string, Algorithm>> = {
  MD5: 'md5',
  SHA1: 'sha1',
  SHA256: 'sha256',
  SHA512: 'sha512',
  'SHA2-256': 'sha256',
  'SHA2-512': 'sha512',
}

/** Length tells the algorithm where no tag does. */
const byLength: ReadonlyMap<number, Algorithm> = new Map(
  (['md5', 'sha1', 'sha256', 'sha512'] as const).map((algorithm) => [
    hexLength[algorithm],
    algorithm,
  ]),
)

/** More than half of the first lines have to be checksum lines: a broken manifest is still one. */
function recognise(document: SourceDocument): boolean {
  const zero = isZeroTerminated(document.head)
  const lines = headText(document)
    .split(zero ? '\0' : /\r\n|\n|\r/)
    .filter((line) => line !== '' && !line.startsWith('#'))
  const sample =
    lines.length > 1 && document.sizeBytes > document.head.length ? lines.slice(0, -1) : lines
  const first = sample.slice(0, 50)
  const good = first.filter((text) => parseLine(text, document.key) !== undefined).length
  return good > 0 && good * 2 >= first.length
}

function isZeroTerminated(head: Uint8Array): boolean {
  const end = head.indexOf(0)
  return end > 0 && EXACT.test(Buffer.from(head.subarray(0, end)).toString('utf8'))
}

async function* read(
  document: SourceDocument,
  report: (finding: Finding) => void,
): AsyncGenerator<Statement> {
  const unreadable = (row: number, value?: string) =>
    report({
      code: 'MANIFEST.LINE_UNREADABLE',
      place: { document: document.key, row },
      ...(value === undefined ? { detail: 'The line is too long to be one.' } : { value }),
    })
  const zero = isZeroTerminated(document.head)
  for await (const { row, text } of readTextLines(document, { zero, onTooLong: unreadable })) {
    if (text.trim() === '' || text.startsWith('#') || text.startsWith(';')) continue
    const parsed = text.includes('\ufffd') ? undefined : parseLine(text, document.key)
    if (parsed === undefined) unreadable(row, text)
    else yield toStatement(parsed, { row, text }, document.key)
  }
}

type Parsed = { readonly algorithm: Algorithm; readonly value: string; readonly path: string }

function parseLine(text: string, documentKey: string): Parsed | undefined {
  const tagged = TAGGED.exec(text)
  if (tagged !== null) {
    const [, escaped = '', tag = '', path = '', hash = ''] = tagged
    const algorithm = tagNames[tag]
    if (algorithm === undefined || hash.length !== hexLength[algorithm]) return undefined
    return { algorithm, value: hash.toLowerCase(), path: escaped === '' ? path : unescape(path) }
  }
  const plain = EXACT.exec(text) ?? PLAIN.exec(text)
  if (plain !== null) {
    const [, escaped = '', hash = '', path = ''] = plain
    const algorithm = byLength.get(hash.length)
    if (algorithm === undefined || path === '') return undefined
    return { algorithm, value: hash.toLowerCase(), path: escaped === '' ? path : unescape(path) }
  }
  // report.pdf.sha256 with only the hash in it speaks of report.pdf.
  const alone = HASH_ALONE.exec(text.trim())
  const named = /([^/]+)\.(?:md5|sha1|sha256|sha512)$/i.exec(documentKey)
  const algorithm = byLength.get(alone?.[1]?.length ?? 0)
  if (alone === null || named === null || algorithm === undefined) return undefined
  return {
    algorithm,
    value: (alone[1] ?? '').toLowerCase(),
    path: documentKey.slice('metadata/'.length).replace(/\.[^.]+$/, ''),
  }
}

/** coreutils marks a line with a leading backslash and writes newline, return and backslash as escapes. */
function unescape(path: string): string {
  return path.replace(/\\([\\nr])/g, (_all, letter: string) =>
    letter === 'n' ? '\n' : letter === 'r' ? '\r' : '\\',
  )
}

function toStatement(
  { algorithm, value, path }: Parsed,
  { row }: Line,
  document: string,
): Statement {
  const place = { document, row }
  return { place, path, checksums: [{ algorithm, value, place }] }
}
