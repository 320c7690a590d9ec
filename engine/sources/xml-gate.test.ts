import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import type { Finding } from '../model/finding.ts'
import { bytesDocument } from './bytes-document.ts'
import { textOf, type XmlElement } from './xml-element.ts'
import { readXml, type OpenElement, type XmlRecord } from './xml-gate.ts'

const test = suite('XML gate')

async function read(
  content: Uint8Array | string,
  isRecord: (element: OpenElement) => boolean = ({ depth }) => depth === 1,
  chunkBytes = 7,
) {
  const findings: Finding[] = []
  const records: XmlRecord[] = []
  const document = bytesDocument('metadata/a.xml', content, chunkBytes)
  for await (const some of readXml(document, isRecord, (finding) => findings.push(finding))) {
    records.push(...some)
  }
  return { findings, records, root: records[0]?.element }
}

/** `XML_MALFORMED 2:7`. */
const pointsAt = ({ code, place }: Finding) =>
  `${code.replace('METADATA.', '')} ${place?.row ?? ''}:${place?.column ?? ''}`

test('values stay the text that was written: 007, true, 1e3, and a space', async () => {
  const { root, findings } = await read(
    '<r n="007" b=" true "><a>007</a><a>true</a><a>1e3</a><a> x </a><a/></r>',
  )
  assert.deepEqual(findings, [])
  assert.deepEqual([root?.attributes.get('n'), root?.attributes.get('b')], ['007', ' true '])
  assert.deepEqual(
    root?.nodes.map((node) => (typeof node === 'string' ? node : textOf(node))),
    ['007', 'true', '1e3', ' x ', ''],
  )
})

test('the five entities and numbered characters are what they stand for, CDATA is text', async () => {
  const { root } = await read(
    '<r a="&lt;&#x41;&#10;">a &amp; b&#233;<![CDATA[<x>&amp;]]]]><!-- no --><?p it\'s "?>c\r\nd</r>',
  )
  assert.equal(root?.attributes.get('a'), '<A\n')
  assert.deepEqual(root.nodes, ['a & bé<x>&amp;]]c\nd'])
})

test('__proto__, constructor and toString are names like any other', async () => {
  const { root, findings } = await read(
    '<r><__proto__ constructor="1" __proto__="2">x</__proto__><constructor/><toString>y</toString></r>',
  )
  assert.deepEqual(findings, [])
  const elements = root?.nodes.filter((node): node is XmlElement => typeof node !== 'string') ?? []
  assert.deepEqual(
    elements.map(({ name, nodes }) => [name, ...nodes]),
    [['__proto__', 'x'], ['constructor'], ['toString', 'y']],
  )
  assert.deepEqual(
    [...(elements[0]?.attributes ?? [])],
    [
      ['constructor', '1'],
      ['__proto__', '2'],
    ],
  )
  assert.equal(({} as Record<string, unknown>)['2'], undefined)
})

test('namespaces are those in force where an element stands', async () => {
  const { records } = await read(
    '<a xmlns="urn:a" xmlns:p="urn:p"><p:r><x/><y xmlns="urn:y"/></p:r></a>',
    ({ local }) => local === 'r',
  )
  const { element } = records[0] ?? {}
  assert.equal(element?.uri, 'urn:p')
  assert.deepEqual(
    element.nodes.map((node) => (typeof node === 'string' ? '' : node.uri)),
    ['urn:a', 'urn:y'],
  )
})

test('a record knows its line, those of its children, and its path', async () => {
  const { records } = await read(
    '<list>\r\n  <row\r\n a="1">\r\n <b/>\r\n\r\n<c>x\r\n</c></row><row/>\r\n</list>',
    ({ name }) => name === 'row',
  )
  assert.deepEqual(
    records.map(({ line, childLines, path }) => ({ line, childLines, path })),
    [
      { line: 2, childLines: [4, 6], path: 'list/row' },
      { line: 7, childLines: [], path: 'list/row' },
    ],
  )
})

const laughs = `<!DOCTYPE l [<!ENTITY a "ha">${Array.from({ length: 9 }, (_, i) => `<!ENTITY a${i} "&a;&a;">`).join('')}]><l>&a8;</l>`

test('every bad document has one finding that names the place', async () => {
  const cases: Readonly<Record<string, readonly [Uint8Array | string, string]>> = {
    truncated: ['<a>\n <b>text', 'XML_MALFORMED 2:8'],
    'truncated in a tag': ['<a>\n <b c="', 'XML_MALFORMED 2:7'],
    'two roots': ['<a/>\n<b/>', 'XML_MALFORMED 2:3'],
    'end tag of another': ['<a><b></a></b>', 'XML_MALFORMED 1:10'],
    'unknown entity': ['<a>&nbsp;</a>', 'XML_MALFORMED 1:4'],
    'entity that JavaScript knows': ['<a>&constructor;</a>', 'XML_MALFORMED 1:4'],
    'attribute twice': ['<a b="1" b="2"/>', 'XML_MALFORMED 1:16'],
    'control character': ['<a>\u0001</a>', 'XML_MALFORMED 1:4'],
    'a lone &': ['<a>Smith & Sons</a>', 'XML_MALFORMED 1:10'],
    'a lone & on an earlier line': ['<a>\nSmith & Sons\n\n</a>', 'XML_MALFORMED 2:'],
    'billion laughs': [laughs, 'XML_ENTITIES 1:220'],
    'external entity': [
      '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
      'XML_ENTITIES 1:54',
    ],
    '100,000 levels': ['<a>'.repeat(100_000), 'XML_LIMIT 1:303'],
    '100,000 levels with namespaces': ['<p:a xmlns:p="urn:p">'.repeat(100_000), 'XML_LIMIT 1:2121'],
    'a text of 2 MB': [`<a>${'x'.repeat(2_000_000)}</a>`, 'XML_LIMIT 1:1052672'],
    'a comment that never ends': [`<a/><!--${'x'.repeat(2_000_000)}`, 'XML_LIMIT 1:1052672'],
    '2,000 attributes': [
      `<a ${Array.from({ length: 2000 }, (_, i) => `a${i}="" `).join('')}/>`,
      'XML_LIMIT 1:16895',
    ],
    'a record of 8 MB': [
      `<a>\n<r>${`<b>${'x'.repeat(1000)}</b>`.repeat(8000)}</r></a>`,
      'XML_LIMIT 2:',
    ],
    'a name of 5,000 characters': [`<${'n'.repeat(5000)}/>`, 'XML_LIMIT 1:5003'],
    'Latin-1 taken for UTF-8': [Buffer.from('<a>\ncafé</a>', 'latin1'), 'NOT_UTF8 2:3'],
    'UTF-16 without byte order mark': [
      Buffer.from('<a>x</a>', 'utf16le'),
      'XML_NO_BYTE_ORDER_MARK :',
    ],
    'UTF-16 that says UTF-8': [
      Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-8"?><a/>', 'utf16le'),
      'XML_ENCODING 1:',
    ],
    'an unknown encoding': ['<?xml version="1.0" encoding="KLINGON"?><a/>', 'XML_ENCODING 1:'],
    empty: ['', 'XML_MALFORMED 1:1'],
    NUL: ['<a>\0</a>', 'XML_MALFORMED 1:4'],
  }
  for (const [name, [content, expected]] of Object.entries(cases)) {
    const { findings } = await read(content, ({ name }) => name === 'r', 4096)
    assert.deepEqual(findings.map(pointsAt), [expected], name)
  }
})

test('an error is said in plain words', async () => {
  const said = async (content: string) => (await read(content)).findings[0]?.detail
  assert.match((await said('<a><b>x')) ?? '', /The element <b> is never closed/)
  assert.match((await said('<a>&nbsp;</a>')) ?? '', /&nbsp; is not one of the five/)
  assert.match((await said('<p:a/>')) ?? '', /The prefix p: is used but not declared/)
})

test('a DOCTYPE that declares no entity is passed over with a warning, and nothing is fetched', async () => {
  for (const doctype of [
    '<!DOCTYPE ead PUBLIC "+//ISBN 1-931666-00-8//DTD ead.dtd//EN" "http://127.0.0.1:1/ead.dtd">',
    '<!DOCTYPE ead SYSTEM "file:///nowhere/ead.dtd">',
    '<!DOCTYPE ead [<!-- <!ENTITY a "b"> --><!ATTLIST ead a CDATA "x">]>',
  ]) {
    const { findings, root } = await read(`${doctype}\n<ead>x</ead>`)
    assert.deepEqual(findings.map(pointsAt), ['XML_DOCTYPE 1:'])
    assert.equal(root?.name, 'ead')
    assert.equal(root.attributes.size, 0)
  }
})

test('a document reads the same in every encoding', async () => {
  const xml = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?><r>café – œ</r>`
  const swapped = Buffer.from(`\ufeff${xml('UTF-16')}`, 'utf16le').swap16()
  const windows = Buffer.from(
    xml('Windows-1252').replace('–', '\x96').replace('œ', '\x9c'),
    'latin1',
  )
  const iso15 = Buffer.from(xml('ISO-8859-15').replace(' –', '').replace('œ', '\xbd'), 'latin1')
  for (const bytes of [
    Buffer.from(xml('UTF-8')),
    Buffer.from(`\ufeff${xml('utf-8')}`),
    Buffer.from(`\ufeff${xml('UTF-16')}`, 'utf16le'),
    swapped,
    windows,
  ]) {
    const { root, findings } = await read(bytes)
    assert.deepEqual(findings, [])
    assert.deepEqual(root?.nodes, ['café – œ'])
  }
  assert.deepEqual((await read(iso15)).root?.nodes, ['café œ'])
})

type Tree = { name: string; attributes: [string, string][]; nodes: (Tree | string)[] }

const name = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'a',
    'b-c.d',
    'é',
    'toString',
    'n\u1680m',
    'n\ufeffm',
  ),
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,5}$/),
)
const text = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom('&', '<', ']]>', '"', "'", '\n', '\t', ' '),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
  })
  .filter((one) => !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(one) && one.isWellFormed())
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    name,
    attributes: fc.uniqueArray(fc.tuple(name, text), {
      selector: ([key]) => key,
      maxLength: 3,
    }),
    nodes: fc.array(fc.oneof({ depthSize: 'small', withCrossShrink: true }, text, tie('tree')), {
      maxLength: 4,
    }),
  }),
}))

function write({ name, attributes, nodes }: Tree): string {
  const escape = (value: string) =>
    value
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('\r', '&#13;')
  const attribute = (value: string) =>
    escape(value).replaceAll('"', '&quot;').replaceAll('\n', '&#xA;').replaceAll('\t', '&#9;')
  const written = attributes.map(([key, value]) => ` ${key}="${attribute(value)}"`).join('\n')
  const inside = nodes
    .map((node, i) => {
      if (typeof node !== 'string') return write(node)
      const inCdata = i % 2 === 1 && !node.includes(']]>') && !node.includes('\r')
      return inCdata ? `<![CDATA[${node}]]>` : `${escape(node)}<!-- > ' -->`
    })
    .join('<?skip "it\'s > ?>')
  return inside === '' ? `<${name}${written}/>` : `<${name}${written}>${inside}</${name}>`
}

/** Texts side by side are one text. */
function merged({ name, attributes, nodes }: Tree): unknown {
  const list: unknown[] = []
  let run = ''
  for (const node of nodes) {
    if (typeof node === 'string') run += node
    else {
      if (run !== '') list.push(run)
      run = ''
      list.push(merged(node))
    }
  }
  if (run !== '') list.push(run)
  return { name, attributes, nodes: list }
}

function plain(element: XmlElement): unknown {
  const nodes = element.nodes.map((node) => (typeof node === 'string' ? node : plain(node)))
  return { name: element.name, attributes: [...element.attributes], nodes }
}

test('any tree of elements reads back as it was written', async () => {
  await fc.assert(
    fc.asyncProperty(tree, fc.integer({ min: 1, max: 40 }), async (one, chunk) => {
      const { root, findings } = await read(write(one), undefined, chunk)
      assert.deepEqual(findings, [])
      assert.ok(root !== undefined)
      assert.deepEqual(plain(root), merged(one))
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('any garbage has one finding and ends', async () => {
  const start = fc.constantFrom(
    '',
    '<a>',
    '<?xml version="1.0"?><a b="',
    '<!DOCTYPE a [',
    '\ufeff<a>',
  )
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (begin, garbage) => {
      const { findings } = await read(Buffer.concat([Buffer.from(begin), garbage]), () => true, 5)
      const errors = findings.filter(({ code }) => code !== 'METADATA.XML_NO_BYTE_ORDER_MARK')
      assert.equal(errors.length, 1)
    }),
    { seed: 1, numRuns: 500 },
  )
})

test.run()
