import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import type { Finding } from '../model/finding.ts'
import type { SourceDocument, Statement } from '../model/source.ts'
import { packageRoot } from '../package-root.ts'
import { recogniseSource } from './index.ts'
import { readSidecar } from './tdr-sidecar.ts'

const test = suite('sources')
const conformance = join(packageRoot(), '..', 'shared', 'conformance', 'manifests')

function documentOf(bytes: Uint8Array, key = 'metadata/manifest.txt'): SourceDocument {
  return {
    key,
    sizeBytes: bytes.length,
    head: bytes.subarray(0, 64 * 1024),
    // In small pieces, so that a character or a line is cut in the middle sooner or later.
    async *open() {
      for (let i = 0; i < bytes.length; i += 7) yield bytes.subarray(i, i + 7)
    },
  }
}

async function readAll(
  document: SourceDocument,
): Promise<{ kind: string | undefined; statements: Statement[]; findings: Finding[] }> {
  const findings: Finding[] = []
  const statements: Statement[] = []
  const kind = recogniseSource(document)
  if (kind !== undefined)
    for await (const one of kind.read(document, (finding) => findings.push(finding)))
      statements.push(one)
  return { kind: kind?.id, statements, findings }
}

const text = (content: string, key?: string) => readAll(documentOf(Buffer.from(content), key))
const A = 'a'.repeat(64)
const M = 'b'.repeat(32)

test('each way that checksum tools write a line is read', async () => {
  for (const [line, path, algorithm] of [
    [`${A}  a b.txt`, 'a b.txt', 'sha256'],
    [`${A} *a.txt`, 'a.txt', 'sha256'],
    [`${A.toUpperCase()}  ./x/a.txt`, './x/a.txt', 'sha256'],
    [`${A}\ta.txt`, 'a.txt', 'sha256'],
    [`${M}  a.txt`, 'a.txt', 'md5'],
    [`${'c'.repeat(40)}  a.txt`, 'a.txt', 'sha1'],
    [`${'d'.repeat(128)}  a.txt`, 'a.txt', 'sha512'],
    [`SHA256 (a (1).txt) = ${A}`, 'a (1).txt', 'sha256'],
    [`MD5 (a.txt) = ${M}`, 'a.txt', 'md5'],
    [`\\${A}  new\\nline\\\\.txt`, 'new\nline\\.txt', 'sha256'],
    [`${A}  D:\\x\\a.txt`, 'D:\\x\\a.txt', 'sha256'],
    [`        12  ${A}  sized.txt`, 'sized.txt', 'sha256'],
  ] as const) {
    const { statements, findings } = await text(`${line}\n`)
    assert.deepEqual(findings, [], line)
    assert.equal(statements[0]?.path, path)
    assert.equal(statements[0]?.checksums[0]?.algorithm, algorithm)
  }
})

test('a file that holds one hash alone speaks of the file it is named after', async () => {
  const { statements } = await text(`${A}\n`, 'metadata/sub/report.pdf.sha256')
  assert.equal(statements[0]?.path, 'sub/report.pdf')
})

test('CR LF, UTF-16 and a byte-order mark make no difference', async () => {
  const content = `${A}  Zo\u00eb.txt\r\n${A}  b.txt\r\n`
  const plain = await text(content)
  const bom = await readAll(
    documentOf(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(content)])),
  )
  const utf16 = await readAll(
    documentOf(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(content, 'utf16le')])),
  )
  assert.equal(plain.statements.length, 2)
  assert.deepEqual(bom, plain)
  assert.deepEqual(utf16, plain)
})

test('a line that cannot be read is named by its row, and a line without end fills no memory', async () => {
  const { statements, findings } = await text(
    `${A}  a.txt\nnonsense\n${A}  b.txt\n${'x'.repeat(200_000)}\n${A}  c.txt\n`,
  )
  assert.deepEqual(
    statements.map(({ path }) => path),
    ['a.txt', 'b.txt', 'c.txt'],
  )
  assert.deepEqual(
    findings.map(({ place }) => place?.row),
    [2, 4],
  )
})

test('a comma in a hashdeep name belongs to the name', async () => {
  const { kind, statements } = await text(
    `%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## x\n3,${M},${A},./a, b.txt\n`,
  )
  assert.equal(kind, 'hashdeep')
  assert.deepEqual(statements[0], {
    place: { document: 'metadata/manifest.txt', row: 4 },
    path: './a, b.txt',
    sizeBytes: 3,
    checksums: [
      { algorithm: 'md5', value: M, place: { document: 'metadata/manifest.txt', row: 4 } },
      { algorithm: 'sha256', value: A, place: { document: 'metadata/manifest.txt', row: 4 } },
    ],
  })
})

test('any list of names written as sha256sum does reads back the same', async () => {
  const escape = (name: string) =>
    name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  const name = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((one) => one.trimStart() === one && one.isWellFormed() && !/[\0\ufffd\ufeff]/.test(one))
  await fc.assert(
    fc.asyncProperty(fc.array(name, { minLength: 1 }), async (names) => {
      const lines = names.map((one) =>
        /[\\\n\r]/.test(one) ? `\\${A}  ${escape(one)}` : `${A}  ${one}`,
      )
      const { statements, findings } = await text(`${lines.join('\n')}\n`)
      assert.deepEqual(findings, [])
      assert.deepEqual(
        statements.map(({ path }) => path),
        names,
      )
    }),
    { seed: 1 },
  )
})

test('any garbage is read to its end without a crash', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.boolean(),
      async (garbage, afterManifest) => {
        const bytes = afterManifest
          ? Buffer.concat([Buffer.from(`${A}  a.txt\n`), garbage])
          : Buffer.from(garbage)
        const { statements } = await readAll(documentOf(bytes))
        assert.ok(statements.length >= 0)
        readSidecar(bytes, 'metadata/x.metadata', () => undefined)
      },
    ),
    { seed: 1, numRuns: 500 },
  )
})

const sidecar = (fields: unknown) => {
  const findings: Finding[] = []
  const statement = readSidecar(
    Buffer.from(JSON.stringify(fields)),
    'metadata/m1.metadata',
    (finding) => findings.push(finding),
  )
  return { statement, codes: findings.map(({ code }) => code) }
}

test("each of TDR's sidecars gives path, size and checksum, whatever it calls them", () => {
  for (const [fields, path] of [
    [
      {
        Length: '12',
        FileRef: '/sites/Retail/Shared Documents/a/f.txt',
        sha256ClientSideChecksum: A,
        matchId: 'm1',
      },
      'Retail/Shared Documents/a/f.txt',
    ],
    [
      {
        Length: 12,
        FileRef: '/sites/x/y/f.txt',
        SHA256ClientSideChecksum: A,
        SiteName: 'Site',
        LibraryName: 'Library',
      },
      'Site/Library/f.txt',
    ],
    [{ file_size: '12', file_path: 'Z:\\y\\content\\Retail\\f.txt', checksum: A }, 'Retail/f.txt'],
    [{ fileSize: '12', originalPath: 'top/Retail/f.txt', checksum: A }, 'top/Retail/f.txt'],
    [{ SIZE: '12', FILE_PATH: 'Z:\\b\\Content\\Retail\\f.txt', SHA256_HASH: A }, 'Retail/f.txt'],
  ] as const) {
    const { statement, codes } = sidecar(fields)
    assert.deepEqual(codes, [])
    assert.equal(statement?.path, path)
    assert.equal(statement?.sizeBytes, 12)
    assert.equal(statement?.checksums[0]?.value, A)
  }
})

test('a sidecar that lies about itself is found out', () => {
  assert.deepEqual(sidecar({ matchId: 'other', originalPath: 'a', checksum: A }).codes, [
    'SIDECAR.MATCH_ID_DIFFERS',
  ])
  assert.deepEqual(sidecar({ originalPath: 'a', checksum: 'xyz' }).codes, [
    'SIDECAR.CHECKSUM_INVALID',
  ])
  assert.deepEqual(sidecar({ matchId: 'm1' }).codes, ['SIDECAR.PATH_MISSING'])
  assert.deepEqual(sidecar([1]).codes, ['SIDECAR.JSON_INVALID'])
})

test('manifests as the tools wrote them are recognised and every line of them is read', async () => {
  if (!existsSync(conformance)) {
    console.log('SKIPPED manifests written by tools: ../shared is not here')
    return
  }
  const expected: Record<string, number> = {
    'hashdeep.txt': 5,
    'md5sum.txt': 5,
    'sha256-tab-separated.txt': 5,
    'sha256sum-binary.txt': 5,
    'sha256sum-tag-bsd.txt': 5,
    'sha256sum-zero.bin': 5,
    'sha256sum.txt': 5,
  }
  for (const [name, count] of Object.entries(expected)) {
    const { statements } = await readAll(
      documentOf(readFileSync(join(conformance, name)), `metadata/${name}`),
    )
    assert.equal(statements.length, count, name)
    if (name !== 'hashdeep.txt')
      assert.ok(
        statements.some(({ path }) => path.endsWith('new\nline.txt')),
        `${name}: the name with a line break`,
      )
  }
  assert.ok(readdirSync(conformance).length > 0)
})

test.run()
