import { hexLength, type Algorithm, type StatedChecksum } from '../model/checksum.ts'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument, SourceKind, Statement } from '../model/source.ts'
import { headText, readTextLines } from './lines.ts'

/** hashdeep's own format: a header that names the columns, no quoting, the file name last. */
export const hashdeep: SourceKind = {
  id: 'hashdeep',
  summary: 'sizes and checksums written by hashdeep',
  listsAllFiles: true,
  recognise: (document) => headText(document).startsWith('%%%% HASHDEEP-1.'),
  read,
}

const COLUMNS = /^%%%% (size(?:,[a-z0-9]+)+,filename)$/
const algorithmOf: Readonly<Record<string, Algorithm>> = {
  md5: 'md5',
  sha1: 'sha1',
  sha256: 'sha256',
}

async function* read(
  document: SourceDocument,
  report: (finding: Finding) => void,
): AsyncGenerator<Statement> {
  let columns: readonly string[] = []
  const unreadable = (row: number, value?: string) =>
    report({
      code: 'MANIFEST.LINE_UNREADABLE',
      place: { document: document.key, row },
      ...(value === undefined ? {} : { value }),
    })
  for await (const { row, text } of readTextLines(document, { onTooLong: unreadable })) {
    if (text === '' || text.startsWith('##') || text.startsWith('%%%% HASHDEEP')) continue
    const header = COLUMNS.exec(text)
    if (header !== null) {
      columns = (header[1] ?? '').split(',')
      continue
    }
    const statement = parseLine(text, columns, { document: document.key, row })
    if (statement === undefined) unreadable(row, text)
    else yield statement
  }
}

/** The name is the rest of the line, commas and all; one with a line break in it cannot be told apart. */
function parseLine(
  text: string,
  columns: readonly string[],
  place: Statement['place'],
): Statement | undefined {
  const values = text.split(',')
  const names = columns.slice(0, -1)
  if (columns.length === 0 || values.length < columns.length) return undefined
  const path = values.slice(names.length).join(',')
  const size = values[0] ?? ''
  if (!/^\d+$/.test(size) || path === '') return undefined
  const checksums: StatedChecksum[] = []
  for (const [i, name] of names.entries()) {
    const algorithm = algorithmOf[name]
    const value = (values[i] ?? '').toLowerCase()
    if (algorithm === undefined) continue
    if (value.length !== hexLength[algorithm] || !/^[0-9a-f]+$/.test(value)) return undefined
    checksums.push({ algorithm, value, place })
  }
  return { place, path, sizeBytes: Number(size), checksums }
}
