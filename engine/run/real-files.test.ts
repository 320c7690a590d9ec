import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import { comparable, makeLab, type Lab } from '../../fixtures/lab.ts'
import { startS3Server } from '../../fixtures/servers/s3-server.ts'
import type { Store } from '../adapters/store.ts'
import { createS3Store } from '../adapters/s3-store.ts'
import { zoneWithDefaults } from '../config.ts'
import { packageRoot } from '../package-root.ts'
import { createCheckPool } from '../pool/pool.ts'
import type { Delivered } from './deliver.ts'
import { processTransfer, type Engine } from './process.ts'

process.env['AWS_ACCESS_KEY_ID'] = 'test'
process.env['AWS_SECRET_ACCESS_KEY'] = 'test'

const test = suite('real files')
const corpus = join(packageRoot(), '..', 'shared', 'real', 'format-corpus')
const pool = createCheckPool({ threads: 2 })
test.after(() => pool.stop())

/** The corpus with a manifest of it; then with one byte flipped, one file removed, one added. */
function corpusFiles(): { good: Record<string, Buffer>; broken: Record<string, Buffer> } {
  const good: Record<string, Buffer> = {}
  let manifest = ''
  for (const name of (readdirSync(corpus, { recursive: true }) as string[]).sort()) {
    if (!statSync(join(corpus, name)).isFile()) continue
    const bytes = readFileSync(join(corpus, name))
    good[`records/${name}`] = bytes
    manifest += `${createHash('sha256').update(bytes).digest('hex')}  ./${name}\n`
  }
  good['metadata/manifest.sha256'] = Buffer.from(manifest)
  const [flipped = '', removed = ''] = Object.keys(good).filter(
    (key) => (good[key]?.length ?? 0) > 1000,
  )
  const broken: Record<string, Buffer> = {
    ...good,
    'records/added.txt': Buffer.from('not on the list\n'),
  }
  const changed = Buffer.from(good[flipped] ?? '')
  changed[500] = (changed[500] ?? 0) ^ 1
  broken[flipped] = changed
  delete broken[removed]
  return { good, broken }
}

async function onFolder(lab: Lab, id: string, files: Record<string, Buffer>): Promise<Delivered> {
  return lab.deliver(lab.land(id, files, { expectedNumberFiles: Object.keys(files).length - 1 }))
}

test('the format corpus is sound, and one flipped, one removed and one added file are told apart, on a folder as on S3', async () => {
  if (!existsSync(corpus)) {
    console.log('SKIPPED the format corpus: ../shared is not here')
    return
  }
  const { good, broken } = corpusFiles()
  const lab = makeLab({ pool, threads: 2 })
  const server = await startS3Server()
  server.makeBucket('corpus')
  const at = (prefix: string) =>
    ({
      kind: 's3',
      bucket: 'corpus',
      prefix,
      endpoint: server.endpoint,
      forcePathStyle: true,
      region: 'eu-west-2',
    }) as const
  const zone = zoneWithDefaults('lab', at('zone/'))
  const [zoneStore, state, reports] = ['zone/', 'state/', 'reports/'].map((prefix) =>
    createS3Store(at(prefix)),
  )
  assert.ok(zoneStore && state && reports)
  try {
    const engine: Engine = {
      ...lab.engine,
      state,
      reports,
      config: { ...lab.engine.config, state: at('state/'), reports: at('reports/') },
    }
    for (const [id, files] of Object.entries({ good, broken })) {
      const fromFolder = await onFolder(lab, id, files)
      const transfer = { zone: 'lab', integrator: 'office', source: 'networkdrive', transferId: id }
      for (const [key, bytes] of Object.entries(files))
        await zoneStore.createIfAbsent(`office/networkdrive/${id}/${key}`, bytes)
      await zoneStore.createIfAbsent(
        `office/networkdrive/${id}/complete.json`,
        JSON.stringify({ expectedNumberFiles: Object.keys(files).length - 1 }),
      )
      const end = await processTransfer(engine, zone, zoneStore, transfer, { reportNow: true })
      assert.ok(end.kind === 'delivered')
      const read = async (delivered: Delivered, store: Store, name: string): Promise<string> =>
        Buffer.from(
          await store.readWhole(delivered.files.find((file) => file.name === name)?.key ?? '', {
            maxBytes: 1e8,
          }),
        ).toString()
      const ofS3 = JSON.parse(await read(end.delivered, reports, 'report.json')) as Record<
        string,
        unknown
      >
      const ofFolder = JSON.parse(await lab.report(fromFolder, 'report.json')) as Record<
        string,
        unknown
      >
      assert.deepEqual(comparable(JSON.stringify(ofS3)), comparable(JSON.stringify(ofFolder)))
      assert.equal(
        await read(end.delivered, reports, 'findings.csv'),
        await lab.report(fromFolder, 'findings.csv'),
      )
      const errors = Object.fromEntries(
        fromFolder.counts.findings
          .filter(({ code }) => code !== 'CONTENT.DUPLICATE')
          .map(({ code, count }) => [code, count]),
      )
      assert.deepEqual(
        errors,
        id === 'good' ? {} : { 'CHECKSUM.MISMATCH': 1, 'FILE.MISSING': 1, 'FILE.UNEXPECTED': 1 },
      )
      assert.equal(fromFolder.verdict, id === 'good' ? 'READY' : 'NEEDS SENDER')
    }
  } finally {
    await Promise.all([zoneStore.close(), state.close(), reports.close()])
    await server.close()
    await lab.close()
  }
})

test('on S3, an object we may not read is ours, one that changed is a fact, and one with a scanner tag is judged by it', async () => {
  const lab = makeLab({ pool })
  const server = await startS3Server()
  server.makeBucket('trouble')
  const address = {
    kind: 's3',
    bucket: 'trouble',
    prefix: '',
    endpoint: server.endpoint,
    forcePathStyle: true,
    region: 'eu-west-2',
  } as const
  const plain = zoneWithDefaults('lab', address)
  const zone = { ...plain, settings: { ...plain.settings, malwareTags: 'configured' as const } }
  const store = createS3Store(address)
  try {
    const root = 'office/networkdrive/t1/'
    for (const name of [
      'clean.txt',
      'denied.txt',
      'changed.txt',
      'infected.txt',
      'unscanned.txt',
    ]) {
      await store.createIfAbsent(`${root}records/${name}`, name)
      server.setTags('trouble', `${root}records/${name}`, {
        GuardDutyMalwareScanStatus: name === 'infected.txt' ? 'THREATS_FOUND' : 'NO_THREATS_FOUND',
      })
    }
    server.setTags('trouble', `${root}records/unscanned.txt`, {})
    await store.createIfAbsent(`${root}complete.json`, '{}')
    server.fault({
      operation: 'GetObject',
      keyPart: 'denied.txt',
      times: 5,
      status: 403,
      code: 'AccessDenied',
    })
    const transfer = { zone: 'lab', integrator: 'office', source: 'networkdrive', transferId: 't1' }
    const end = await processTransfer(lab.engine, zone, store, transfer, {
      reportNow: true,
      onProgress: ({ kind }) => {
        if (kind === 'sealed') changing = store.write(`${root}records/changed.txt`, 'other content')
      },
    })
    await changing
    assert.ok(end.kind === 'delivered')
    assert.equal(end.delivered.verdict, 'NOT PROCESSED')
    assert.equal(end.delivered.counts.unchecked, 2)
    const counts = Object.fromEntries(
      end.delivered.counts.findings.map(({ code, count }) => [code, count]),
    )
    assert.deepEqual(counts, { 'FILE.CHANGED': 1, 'MALWARE.THREAT': 1 })
    assert.match(
      await lab.report(end.delivered, 'findings.csv'),
      /UNCHECKED\.DENIED.*denied\.txt[\s\S]*UNCHECKED\.PENDING.*unscanned\.txt/,
    )
  } finally {
    await store.close()
    await server.close()
    await lab.close()
  }
})
let changing: Promise<void> = Promise.resolve()

test.run()
