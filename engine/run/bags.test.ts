import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import { codesOf, makeLab } from '../../fixtures/lab.ts'
import { codes } from '../model/codes.ts'
import { packageRoot } from '../package-root.ts'
import { createCheckPool } from '../pool/pool.ts'

const test = suite('BagIt bags')
const pool = createCheckPool({ threads: 2 })
test.after(() => pool.stop())

const fixture = join(packageRoot(), 'fixtures', 'sources', 'bagit-manifest')

/** Files of a folder by their path below it; `into` is put in front. */
function filesOf(folder: string, into: string): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    files[into + path.slice(folder.length + 1)] = readFileSync(path)
  }
  return files
}

async function judge(files: Record<string, Uint8Array | string>) {
  const lab = makeLab({ pool })
  try {
    const delivered = await lab.deliver(lab.land('bag', files))
    return { verdict: delivered.verdict, found: codesOf(delivered) }
  } finally {
    await lab.close()
  }
}

const good = () => filesOf(join(fixture, 'good', 'basic'), 'records/')

test('a bag that is whole is ready, at the top of the records or in a folder of them', async () => {
  assert.deepEqual(await judge(good()), { verdict: 'READY', found: {} })
  const inFolder = filesOf(join(fixture, 'good', 'basic'), 'records/transfer 7/')
  assert.deepEqual(await judge(inFolder), { verdict: 'READY', found: {} })
})

test('a bag beside records/ is said to lie in the wrong place, once, and not file by file', async () => {
  const { verdict, found } = await judge(filesOf(join(fixture, 'good', 'basic'), ''))
  assert.equal(verdict, 'NEEDS SENDER')
  assert.deepEqual(found, { 'TRANSFER.BAG_AT_ROOT': 1, 'TRANSFER.EMPTY': 1 })
})

test('a bag that is not whole says so before anybody looks for its parts', async () => {
  const { found } = await judge(filesOf(join(fixture, 'bad', 'with-fetch'), 'records/'))
  assert.deepEqual(found, { 'BAGIT.FETCH': 1 })
})

test('a bag is found however deep it lies, and a name in another form is no fault of its manifests', async () => {
  const deep = filesOf(join(fixture, 'good', 'basic'), 'records/x/y/')
  assert.deepEqual((await judge(deep)).found, {})
  deep['records/x/y/data/a.txt'] = Buffer.from('B')
  assert.deepEqual((await judge(deep)).found, { 'CHECKSUM.MISMATCH': 1 })
  const renamed = good()
  renamed['records/data/A.txt'] = renamed['records/data/a.txt'] ?? Buffer.from('')
  delete renamed['records/data/a.txt']
  assert.deepEqual((await judge(renamed)).found, { 'FILE.MISSING_SIMILAR': 1 })
  const folded = good()
  folded['records/bag-info.txt'] = Buffer.from('Payload-Oxum:\n  4.2\n')
  assert.deepEqual((await judge(folded)).found, { 'CHECKSUM.MISMATCH': 1 })
})

test('each thing that can be wrong with a bag is found and named', async () => {
  const text = (files: Record<string, Uint8Array>, name: string) =>
    Buffer.from(files[`records/${name}`] ?? []).toString()
  for (const [what, change, expected] of [
    ['a byte changed', (f) => (f['records/data/a.txt'] = Buffer.from('B')), ['CHECKSUM.MISMATCH']],
    [
      'a file gone',
      (f) => delete f['records/data/b/c.txt'],
      ['BAGIT.OXUM_DIFFERS', 'FILE.MISSING'],
    ],
    [
      'a file too much',
      (f) => (f['records/data/x.txt'] = Buffer.from('x')),
      ['BAGIT.NOT_IN_EVERY_MANIFEST', 'BAGIT.OXUM_DIFFERS', 'FILE.UNEXPECTED'],
    ],
    ['a tag file gone', (f) => delete f['records/bag-info.txt'], ['FILE.MISSING']],
    ['no declaration', (f) => delete f['records/bagit.txt'], ['BAGIT.DECLARATION', 'FILE.MISSING']],
    [
      'a byte order mark',
      (f) => (f['records/bagit.txt'] = Buffer.from(`\ufeff${text(f, 'bagit.txt')}`)),
      ['BAGIT.DECLARATION', 'CHECKSUM.MISMATCH'],
    ],
    [
      'a fetch.txt',
      (f) => (f['records/fetch.txt'] = Buffer.from('http://example.org/x 1 data/x.txt\n')),
      ['BAGIT.FETCH'],
    ],
    [
      'a path that leads out',
      (f) =>
        (f['records/manifest-sha256.txt'] = Buffer.from(
          `${text(f, 'manifest-sha256.txt')}${'0'.repeat(64)}  data/../../x\n`,
        )),
      ['BAGIT.PATH_OUTSIDE', 'CHECKSUM.MISMATCH'],
    ],
  ] as [string, (files: Record<string, Uint8Array>) => unknown, string[]][]) {
    const files = good()
    change(files)
    const { found, verdict } = await judge(files)
    assert.deepEqual(Object.keys(found).sort(), expected, what)
    assert.equal(verdict, 'NEEDS SENDER', what)
  }
})

test('a payload file that only a metadata table names is counted once', async () => {
  const files: Record<string, Uint8Array | string> = good()
  files['records/data/x.txt'] = 'x'
  files['records/bag-info.txt'] = 'Payload-Oxum: 5.3\n'
  files['metadata/table.csv'] = 'filepath,filename\ndata/x.txt,x.txt\n'
  const { found } = await judge(files)
  assert.equal(found['BAGIT.NOT_IN_EVERY_MANIFEST'], 1)
  assert.equal(found['BAGIT.OXUM_DIFFERS'], undefined)
})

/** Bags that we judge in another way than the suite, and why. docs/reference/sources.md says the same. */
const FETCH = 'fetch.txt is refused: nothing is fetched from addresses that senders name'
const DOT_SLASH = 'the suite calls `./path` valid here and a warning elsewhere; we warn'
const ONE_OF_TWO = 'two spellings are listed and one file arrived: the other is missing'
const differs: Readonly<Record<string, string>> = {
  'v0.96/valid/holey-bag': FETCH,
  'v0.97/valid/holey-bag': FETCH,
  'v0.96/valid/bag-with-leading-dot-slash-in-manifest': DOT_SLASH,
  'v0.97/valid/bag-with-leading-dot-slash-in-manifest': DOT_SLASH,
  'v0.97/valid/uncommon-metadata-separators':
    'its only manifest is SHA-224, which we do not compute',
  'v0.97/warning/duplicate-file-with-different-case': ONE_OF_TWO,
  'v0.97/warning/same-filename-listed-twice-with-different-normalization': ONE_OF_TWO,
  'v0.97/warning/special-system-files':
    'the .DS_Store that it lists is not in the suite as published',
}

const conformance = join(packageRoot(), '..', 'shared', 'conformance', 'bagit-conformance-suite')

test('the bags of the conformance suite are judged as the suite says', async () => {
  if (!existsSync(conformance)) {
    console.log('SKIPPED the BagIt conformance suite: ../shared is not there')
    return
  }
  const wrong: string[] = []
  let judged = 0
  for (const version of readdirSync(conformance).filter((name) => name.startsWith('v'))) {
    for (const group of readdirSync(join(conformance, version))) {
      const bags = readdirSync(join(conformance, version, group), { withFileTypes: true })
      for (const { name } of bags.filter((entry) => entry.isDirectory())) {
        const bag = `${version}/${group}/${name}`
        const { found } = await judge(filesOf(join(conformance, bag), 'records/'))
        const severities = Object.keys(found).map(
          (code) => codes[code as keyof typeof codes].severity,
        )
        const says = severities.includes('error')
          ? 'invalid'
          : severities.includes('warning')
            ? 'warning'
            : 'valid'
        const expected = group.endsWith('-only') ? 'invalid' : group
        judged++
        if ((says === expected) === (differs[bag] !== undefined))
          wrong.push(`${bag}: ${says}, ${JSON.stringify(found)}`)
      }
    }
  }
  assert.deepEqual(wrong, [])
  assert.equal(judged, 60)
})

test.run()
