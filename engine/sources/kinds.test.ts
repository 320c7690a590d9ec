import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import type { Finding } from '../model/finding.ts'
import type { Statement } from '../model/source.ts'
import { packageRoot } from '../package-root.ts'
import { bytesDocument } from './bytes-document.ts'
import { recogniseSource, sourceKinds } from './index.ts'
import { duplicateNames, readJsonRecords } from './json-records.ts'

/**
 * Every kind of document has fixtures, good and bad, with what is read from each and what is found.
 * `WRITE_EXPECTED=1` writes that anew: read the difference before committing it.
 */
const test = suite('kinds of documents')
const folder = join(packageRoot(), 'fixtures', 'sources')
const OWN_TEST: ReadonlySet<string> = new Set(['bagit-manifest', 'tdr-metadata-csv'])

type Read = { readonly statements: readonly string[]; readonly findings: readonly string[] }

async function read(key: string, bytes: Uint8Array | string, piece = 97) {
  const document = bytesDocument(key, bytes, piece)
  const kind = recogniseSource(document)
  const statements: Statement[] = []
  const findings: Finding[] = []
  if (kind !== undefined)
    for await (const one of kind.read(document, (finding) => findings.push(finding)))
      statements.push(one)
  return { kind: kind?.id, statements, findings }
}

/** `row 3: Estates/a.txt, 6 bytes, sha256 5891b5b5`: a statement as a person would check it. */
function sayStatement({ place, path, sizeBytes, checksums, noChecksumBecause }: Statement): string {
  return [
    `row ${place.row ?? 0}: ${path}`,
    ...(sizeBytes === undefined ? [] : [`${sizeBytes} bytes`]),
    ...checksums.map(({ algorithm, value }) => `${algorithm} ${value.slice(0, 8)}`),
    ...(noChecksumBecause === undefined ? [] : [noChecksumBecause]),
  ].join(', ')
}

function sayFinding({ code, place, value }: Finding): string {
  return `${code} at ${place?.column ?? ''}${place?.row ?? 0}${value === undefined ? '' : ` ${JSON.stringify(value.slice(0, 60))}`}`
}

for (const { id } of sourceKinds) {
  test(`${id}: has good and bad fixtures, and each is read as was reviewed`, async () => {
    for (const sort of ['good', 'bad'] as const) {
      const files = join(folder, id, sort)
      assert.ok(existsSync(files), `${id} has no ${sort} fixture`)
      const names = readdirSync(files).sort()
      assert.ok(names.length > 0, `${id} has no ${sort} fixture`)
      if (OWN_TEST.has(id)) continue
      const actual: Record<string, Read> = {}
      for (const name of names) {
        const bytes = readFileSync(join(files, name))
        const { kind, statements, findings } = await read(`metadata/${name}`, bytes)
        assert.equal(kind, id, `${sort}/${name}`)
        if (sort === 'bad')
          assert.ok(findings.length > 0, `${name} is bad and nothing is said of it`)
        actual[name] = {
          statements: statements.map(sayStatement),
          findings: findings.map(sayFinding),
        }
      }
      const path = join(folder, id, `${sort}.expected.json`)
      if (process.env['WRITE_EXPECTED'] === '1')
        writeFileSync(path, `${JSON.stringify(actual, undefined, 2)}\n`)
      assert.deepEqual(actual, JSON.parse(readFileSync(path, 'utf8')))
    }
  })
}

test('a JSON list reads back the same, however it is written and cut', async () => {
  const record = fc.dictionary(
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.jsonValue({ maxDepth: 3 }),
    {
      maxKeys: 5,
      noNullPrototype: true,
    },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 5 }),
      fc.constantFrom(undefined, 1, '\t'),
      fc.integer({ min: 1, max: 50 }),
      async (records, indent, piece) => {
        const whole = JSON.stringify(records, undefined, indent)
        const document = bytesDocument('m.json', whole, piece)
        const values: unknown[] = []
        const findings: Finding[] = []
        for await (const { value } of readJsonRecords(document, new Set(), (one) =>
          findings.push(one),
        ))
          values.push(value)
        assert.equal(JSON.stringify(values), JSON.stringify(JSON.parse(whole)))
        assert.deepEqual(findings, [])
      },
    ),
    { seed: 1, numRuns: 200 },
  )
})

test('whatever bytes come, a kind gives statements and findings, and neither throws nor hangs', async () => {
  const starts = sourceKinds
    .filter(({ id }) => !OWN_TEST.has(id))
    .flatMap(({ id }) => {
      const files = join(folder, id, 'good')
      return readdirSync(files).map((name) => readFileSync(join(files, name)))
    })
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...starts),
      fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 8 }),
      fc.uint8Array({ maxLength: 40 }),
      async (start, changes, tail) => {
        const bytes = Buffer.concat([start, tail])
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        await read('metadata/m', bytes, 31)
      },
    ),
    { seed: 1, numRuns: 400 },
  )
})

test('`__proto__` is a name like any other, and a name that comes twice is found anywhere', async () => {
  const { statements, findings } = await read(
    'm.json',
    '[{"Path":"a.txt","Size":1,"IsDir":false,"__proto__":{"x":1},"constructor":"y"}]',
  )
  assert.equal(statements.length, 1)
  assert.deepEqual(findings, [])
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
  assert.deepEqual(duplicateNames('{"a":1,\n"b":{"c":1,"c":2},"a":3}'), [
    { name: 'c', row: 2 },
    { name: 'a', row: 2 },
  ])
})

test('pages in a list are read, and lists beside the wanted one are not', async () => {
  const item = (name: string) => ({ name, size: 1, parentReference: {}, file: {} })
  const pages = JSON.stringify([{ value: [item('a')], other: [item('x')] }, { value: [item('b')] }])
  const { statements } = await read('m.json', pages, 5)
  assert.deepEqual(
    statements.map(({ path }) => path),
    ['a', 'b'],
  )
})

test('what would fill memory is refused: one endless text, one endless entry', async () => {
  const start = '[{"Path":"a","Size":1,"IsDir":false},{"Path":"'
  for (const endless of [
    `${start}${'x'.repeat(6_000_000)}`,
    `${start}b","Size":1,"IsDir":false${',"k":{}'.repeat(300_000)}`,
  ]) {
    const { findings, statements } = await read('m.json', endless, 64 * 1024)
    assert.equal(statements.length, 1)
    assert.equal(findings.at(-1)?.code, 'SOURCE.JSON_INVALID')
  }
})

test('100,000 levels of nesting are refused in one sentence', async () => {
  const deep = `[{"Path":"a","Size":1,"IsDir":false},${'['.repeat(100_000)}`
  const { findings } = await read('m.json', deep, 4096)
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['SOURCE.JSON_INVALID'],
  )
})

const samples = join(packageRoot(), '..', 'shared', 'conformance', 'manifests')
const expectedKinds: Readonly<Record<string, readonly [string, number]>> = {
  'gdrive-files-list.json': ['google-drive-list', 2],
  'graph-driveitem.json': ['graph-drive-item', 1],
  'hashdeep-dfxml.xml': ['hashdeep-dfxml', 5],
  'hashdeep.txt': ['hashdeep', 5],
  'md5sum.txt': ['checksum-list', 5],
  'powershell-get-filehash-utf16.csv': ['powershell-filehash', 1],
  'powershell-get-filehash.csv': ['powershell-filehash', 1],
  'rclone-lsjson.json': ['rclone-lsjson', 2],
  'robocopy.log': ['robocopy', 0],
  'sha256-tab-separated.txt': ['checksum-list', 5],
  'sha256deep-z.txt': ['checksum-list', 5],
  'sha256sum-binary.txt': ['checksum-list', 5],
  'sha256sum-tag-bsd.txt': ['checksum-list', 5],
  'sha256sum-zero.bin': ['checksum-list', 5],
  'sha256sum.txt': ['checksum-list', 5],
  'sharepoint-export-csv-with-schema.csv': ['sharepoint-csv', 1],
  'sharepoint-owssvr.xml': ['sharepoint-list-xml', 1],
}

test('every manifest that the tools themselves wrote is recognised and read', async () => {
  if (!existsSync(samples)) {
    console.log('SKIPPED the manifests that tools wrote: ../shared is not there')
    return
  }
  const actual: Record<string, unknown> = {}
  for (const name of readdirSync(samples)) {
    const { kind, statements } = await read(`metadata/${name}`, readFileSync(join(samples, name)))
    actual[name] = [kind, statements.length]
  }
  assert.deepEqual(actual, expectedKinds)
})

test.run()
