import assert from 'node:assert/strict'
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { suite } from 'uvu'
import type { Finding } from '../model/finding.ts'
import { bytesDocument } from './bytes-document.ts'
import { columnLetter, readTable, type TableOptions, type TableRow } from './csv-table.ts'

const test = suite('CSV table')
const runs = Number(process.env['SOAK'] ?? 1) * 150

async function read(
  content: Uint8Array | string,
  options: Partial<TableOptions> & { chunkBytes?: number } = {},
) {
  const findings: Finding[] = []
  const rows: TableRow[] = []
  let header: readonly string[] | undefined
  const document = bytesDocument('metadata/m.csv', content, options.chunkBytes)
  const table = readTable(
    document,
    { ...options, onHeader: ({ names }) => (header = names) },
    (finding) => findings.push(finding),
  )
  for await (const batch of table) rows.push(...batch)
  return {
    header,
    rows,
    findings,
    codes: findings.map(({ code }) => code.replace('METADATA.', '')),
  }
}

const cells = (rows: readonly TableRow[]) => rows.map((row) => row.cells)
const placeOf = (finding: Finding | undefined) =>
  `${finding?.place?.column ?? ''}${finding?.place?.row ?? ''}`

test('a spreadsheet column is named by its letters', () => {
  assert.deepEqual([0, 25, 26, 51, 52, 701, 702].map(columnLetter), [
    'A',
    'Z',
    'AA',
    'AZ',
    'BA',
    'ZZ',
    'AAA',
  ])
})

const WINDOWS_1252 =
  'abcXYZ019 ,;|"\t\n\r€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ¡£¥©«®°±´µ¶·¸»¼½¾¿ÀÉÏÑÖ×ØÜÝÞßàéïñö÷øüýþÿ'
const codePage = new Map(
  Array.from({ length: 256 }, (_, byte) => [
    new TextDecoder('windows-1252').decode(Uint8Array.of(byte), { stream: true }),
    byte,
  ]),
)

function encode(text: string, encoding: string): Buffer {
  switch (encoding) {
    case 'utf-8':
      return Buffer.from(text)
    case 'utf-8 with BOM':
      return Buffer.from(`\ufeff${text}`)
    case 'utf-16le':
      return Buffer.from(text, 'utf16le')
    case 'utf-16le with BOM':
      return Buffer.from(`\ufeff${text}`, 'utf16le')
    case 'utf-16be with BOM':
      return Buffer.from(`\ufeff${text}`, 'utf16le').swap16()
    case 'utf-16be':
      return Buffer.from(text, 'utf16le').swap16()
    default:
      return Buffer.from(Array.from(text, (character) => codePage.get(character) ?? 63))
  }
}

const column = fc.stringMatching(/^[a-z_]{1,12}$/)
const anyText = fc
  .string({ unit: 'binary', maxLength: 30 })
  .map((text) => text.replaceAll('\0', ''))
const narrowText = fc.string({ unit: fc.constantFrom(...Array.from(WINDOWS_1252)), maxLength: 30 })

test('a table reads back the same in any encoding, delimiter and line end, by any chunks', async () => {
  const table = fc
    .record({
      encoding: fc.constantFrom(
        'utf-8',
        'utf-8 with BOM',
        'utf-16le',
        'utf-16le with BOM',
        'utf-16be',
        'utf-16be with BOM',
        'windows-1252',
      ),
      header: fc.uniqueArray(column, { minLength: 2, maxLength: 8 }),
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
      chunkBytes: fc.integer({ min: 1, max: 200 }),
    })
    .chain((shape) => {
      const text = shape.encoding === 'windows-1252' ? narrowText : anyText
      // Wide text is told by its NULs where it has no mark: most letters must be Latin.
      const unmarked = shape.encoding === 'utf-16le' || shape.encoding === 'utf-16be'
      const cell = unmarked ? narrowText : text
      const width = shape.header.length
      const row = fc
        .array(cell, { minLength: width - 1, maxLength: width - 1 })
        .map((rest) => ['x', ...rest])
      return fc.record({ shape: fc.constant(shape), rows: fc.array(row, { maxLength: 12 }) })
    })
  await fc.assert(
    fc.asyncProperty(table, async ({ shape, rows }) => {
      const text = stringify([shape.header, ...rows], {
        delimiter: shape.delimiter,
        record_delimiter: shape.lineEnd,
        quoted_match: /[\r\n"]/,
      })
      const bytes = encode(text, shape.encoding)
      const { header, rows: readBack } = await read(bytes, { chunkBytes: shape.chunkBytes })
      assert.deepEqual(header, shape.header)
      const got = cells(readBack)
      assert.deepEqual(got, rows)
      assert.deepEqual(
        readBack.map(({ row }) => row),
        rows.map((_, i) => i + 2),
      )
    }),
    { seed: 3, numRuns: runs },
  )
})

test('any bytes give rows and findings, never an exception, by any chunks', async () => {
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc
      .array(
        fc.constantFrom(
          '"',
          ',',
          '\n',
          '\r',
          'a',
          '""',
          '\0',
          '",',
          ';',
          'é',
          '\n"',
          'sep=',
          '#TYPE',
          'ListSchema={',
        ),
        { maxLength: 120 },
      )
      .map((parts) => new Uint8Array(Buffer.from(parts.join('')))),
  )
  await fc.assert(
    fc.asyncProperty(garbage, fc.integer({ min: 1, max: 50 }), async (bytes, chunkBytes) => {
      const whole = await read(bytes)
      const chunked = await read(bytes, { chunkBytes })
      assert.deepEqual(chunked.rows, whole.rows)
    }),
    { seed: 5, numRuns: runs * 4 },
  )
})

test('a quote that runs away is reported where it opened, and reading goes on', async () => {
  const text = 'path,note\na,1\nb,"oops\nc,3\nd,"fine"\ne,5\n'
  const { rows, findings, codes } = await read(text)
  assert.deepEqual(codes, ['QUOTE_NOT_CLOSED'])
  assert.equal(placeOf(findings[0]), 'B3')
  assert.equal(findings[0]?.value, '"oops')
  assert.equal(findings[0]?.place?.columnName, 'note')
  assert.deepEqual(cells(rows), [['a', '1'], ['b'], ['c', '3'], ['d', 'fine'], ['e', '5']])
  assert.deepEqual(
    rows.map(({ row }) => row),
    [2, 3, 4, 5, 6],
  )
})

test('a quote that is never closed costs its own row only', async () => {
  const lines = Array.from({ length: 2000 }, (_, i) => `f${i},x`)
  lines[700] = 'f700,"x'
  for (const chunkBytes of [100, 1_000_000]) {
    const { rows, findings, codes } = await read(`p,q\n${lines.join('\n')}`, { chunkBytes })
    assert.deepEqual(codes, ['QUOTE_NOT_CLOSED'])
    assert.equal(placeOf(findings[0]), 'B702')
    assert.equal(rows.length, 2000)
    assert.equal(rows.filter(({ broken }) => broken === true).length, 1)
  }
})

test('a file with a run-away quote in every row is read to its end in time', async () => {
  const text = `p,q\n${'f,"x\n'.repeat(20_000)}`
  const started = performance.now()
  const { rows, findings } = await read(text)
  assert.equal(rows.length, 20_000)
  assert.equal(findings.length, 20_000)
  assert.ok(performance.now() - started < 20_000)
})

test('text after a closing quote is reported with its cell', async () => {
  const { rows, findings, codes } = await read('p,q,r\na,"b" c,d\ne,f,g\n')
  assert.deepEqual(codes, ['QUOTE_INSIDE'])
  assert.equal(placeOf(findings[0]), 'B2')
  assert.deepEqual(cells(rows), [['a'], ['e', 'f', 'g']])
})

test('a quote inside an unquoted cell is text', async () => {
  const { rows, codes } = await read('p,q\na,5\'10"\nb,"x"\n')
  assert.deepEqual(codes, [])
  assert.deepEqual(cells(rows), [
    ['a', '5\'10"'],
    ['b', 'x'],
  ])
})

test('a line break inside quotes does not move the row numbers of a spreadsheet', async () => {
  const { rows } = await read('p,q\r\na,"one\r\ntwo"\r\n\r\nb,2\r\n')
  assert.deepEqual(
    rows.map(({ row }) => row),
    [2, 4],
  )
})

test('sep=, #TYPE and ListSchema lines are understood', async () => {
  const sep = await read('sep=;\r\np;q\r\na;1,5\r\n')
  assert.deepEqual([sep.header, cells(sep.rows), sep.rows[0]?.row], [['p', 'q'], [['a', '1,5']], 2])
  const type = await read('#TYPE Selected.System\r\n"p","q"\r\n"a","1"\r\n')
  assert.deepEqual([type.header, type.rows[0]?.row], [['p', 'q'], 3])
  const schema = 'ListSchema={"schemaXmlList":["<Field Name=\\"a}\\" />"]}'
  const own = await read(`\ufeff${schema}\r\n"p","q"\r\n"a","1"\r\n`)
  assert.deepEqual([own.header, own.rows[0]?.row, own.codes], [['p', 'q'], 3, []])
  for (const between of ['', ',']) {
    const same = await read(`\ufeff${schema}${between}"p","q"\r\n"a","1"\r\n`)
    assert.deepEqual([same.header, same.rows[0]?.row, same.codes], [['p', 'q'], 2, []])
  }
  const large = `ListSchema={"schemaXmlList":["${'<Field />'.repeat(60_000)}"]}\np,q\na,1\n`
  assert.deepEqual((await read(large)).header, ['p', 'q'])
})

test('line ends may be mixed', async () => {
  const { rows, codes } = await read('p,q\r\na,1\nb,2\rc,"x\ny"\r\nd,4')
  assert.deepEqual(codes, [])
  assert.deepEqual(cells(rows), [
    ['a', '1'],
    ['b', '2'],
    ['c', 'x\ny'],
    ['d', '4'],
  ])
})

test('uneven rows are reported; empty cells at the end and empty rows are not', async () => {
  const { rows, findings, codes } = await read('p,q\na,1,,\nb,2,x\nc\n,,\n\nd,4\n,\n')
  assert.deepEqual(codes, ['ROW_TOO_LONG', 'ROW_TOO_SHORT', 'ROW_EMPTY'])
  assert.deepEqual(findings.map(placeOf), ['C3', '4', '5'])
  assert.equal(findings[2]?.detail, '3 empty rows were left out.')
  assert.deepEqual(
    rows.map(({ row }) => row),
    [2, 3, 4, 7],
  )
})

test('a title above the header and a repeated header are reported', async () => {
  const isHeader = (names: readonly string[]) => names.includes('filepath')
  const { header, rows, findings, codes } = await read(
    'Our records,\nfilepath,q\na,1\nfilepath,q\nb,2\n',
    { isHeader },
  )
  assert.deepEqual(codes, ['ABOVE_HEADER', 'HEADER_REPEATED'])
  assert.deepEqual(findings.map(placeOf), ['1', '4'])
  assert.deepEqual(header, ['filepath', 'q'])
  assert.deepEqual(
    rows.map(({ row }) => row),
    [3, 5],
  )
})

test('bytes that are not UTF-8 in a UTF-8 document are reported with row and column', async () => {
  const text = Buffer.from('p,q\nä,1\nb,ö?x\nc,é\n')
  text[text.indexOf(0x3f)] = 0xe9
  const { findings, codes } = await read(text)
  assert.deepEqual(codes, ['NOT_UTF8'])
  assert.equal(placeOf(findings[0]), 'B3')
})

test('Windows-1252 is an assumption that is stated, even when it shows late', async () => {
  const late = Buffer.concat([
    Buffer.from(`p,q\n${'a,1\n'.repeat(100_000)}`),
    Buffer.from([0x62, 0x2c, 0x93, 0x94, 0xe9, 0x0a]),
  ])
  const { rows, codes } = await read(late)
  assert.deepEqual(codes, ['ENCODING_ASSUMED'])
  assert.deepEqual(rows.at(-1)?.cells, ['b', '“”é'])
})

test('things that are no table give one finding', async () => {
  const codesOf = async (content: string | Uint8Array) => (await read(content)).codes
  assert.deepEqual(await codesOf(Buffer.from('PK\x03\x04rest', 'latin1')), ['NOT_CSV'])
  assert.deepEqual(await codesOf(''), ['EMPTY'])
  assert.deepEqual(await codesOf('\ufeff'), ['EMPTY'])
  assert.deepEqual(await codesOf(`${'a,'.repeat(10_000)}b\n1,2\n`), ['TOO_MANY_COLUMNS'])
  const nul = await read('p,q\na,1\nb,x\0y\n')
  assert.deepEqual([nul.codes, placeOf(nul.findings[0])], [['NUL'], 'B3'])
  const field = await read(`p,q\na,${'x'.repeat(10_000_000)}\nb,2\n`)
  assert.deepEqual([field.codes, placeOf(field.findings[0])], [['CELL_TOO_LONG'], 'B2'])
  // The row is there, as one that cannot be trusted: it must not go uncounted.
  assert.deepEqual(cells(field.rows), [['a'], ['b', '2']])
  assert.deepEqual(
    field.rows.map(({ broken }) => broken === true),
    [true, false],
  )
  const quoted = await read(`p,q\na,"${'x'.repeat(20_000_000)}"\nb,2\n`)
  assert.deepEqual([quoted.codes, placeOf(quoted.findings[0])], [['CELL_TOO_LONG'], '2'])
  assert.deepEqual(cells(quoted.rows), [[], ['b', '2']])
  const png = Buffer.concat([
    Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
    Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
  ])
  assert.deepEqual(await codesOf(png), ['NOT_CSV'])
  assert.deepEqual(await codesOf('p,q\na\x01\x02\x03\x04,1\n' + 'b,2\n'.repeat(50)), [])
})

test('a column named __proto__ is a column', async () => {
  const { header, rows } = await read('__proto__,constructor\na,1\n')
  assert.deepEqual([header, cells(rows)], [['__proto__', 'constructor'], [['a', '1']]])
})

test.run()
