import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { LAB_NOW } from '../../fixtures/lab.ts'
import {
  land,
  putBack,
  run,
  type Areas,
  type RecordedRun,
  type RecordedWrite,
} from '../../fixtures/recorded-run.ts'
import { startS3Server } from '../../fixtures/servers/s3-server.ts'
import { packageRoot } from '../package-root.ts'
import { ENGINE_VERSION } from '../version.ts'
import { deliveredReport, records, transfer } from './crash-matrix.contract.ts'

process.env['AWS_ACCESS_KEY_ID'] = 'test'
process.env['AWS_SECRET_ACCESS_KEY'] = 'test'

// S3, because its marks of an object follow from the bytes: a folder's are of one disk.
const test = suite('state of earlier releases')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-releases-'))
const recordings = join(packageRoot(), 'fixtures/releases')
const server = await startS3Server()
server.makeBucket('releases')
test.after(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

let count = 0
async function landed(recorded: RecordedRun['records']): Promise<Areas> {
  count++
  const at = (area: string) => ({
    kind: 's3' as const,
    bucket: 'releases',
    prefix: `${count}/${area}/`,
    endpoint: server.endpoint,
    forcePathStyle: true,
    region: 'eu-west-2',
  })
  const areas = { zone: at('zone'), state: at('state'), reports: at('reports') }
  await land(areas.zone, transfer, recorded)
  return areas
}

/** The clock stands still, so that two recordings differ by the program alone. */
const go = (areas: Areas, wrote?: Parameters<typeof run>[1]['wrote']) =>
  run(areas, {
    transfer,
    folder,
    chunkFiles: 2,
    now: () => LAB_NOW,
    ...(wrote === undefined ? {} : { wrote }),
  })

if (process.env['RECORD_RELEASE'] !== undefined) {
  const writes: RecordedWrite[] = []
  await go(await landed(records), async (_how, area, key, store) => {
    const text = Buffer.from(await store.readWhole(key, { maxBytes: 1e7 })).toString()
    writes.push({ area, key, text })
  })
  mkdirSync(recordings, { recursive: true })
  writeFileSync(
    join(recordings, `${ENGINE_VERSION}.json`),
    `${JSON.stringify({ engineVersion: ENGINE_VERSION, transfer, records, writes } satisfies RecordedRun, undefined, 1)}\n`,
  )
}

test('this release has a recording, for the next one to go on from', () => {
  assert.ok(
    existsSync(join(recordings, `${ENGINE_VERSION}.json`)),
    'record it: RECORD_RELEASE=1 node dist/engine/run/releases.test.js',
  )
})

for (const name of readdirSync(recordings)) {
  test(`killed anywhere in ${name.replace('.json', '')}, this release goes on to the same report`, async () => {
    const recorded = JSON.parse(readFileSync(join(recordings, name), 'utf8')) as RecordedRun
    const whole = await landed(recorded.records)
    await putBack(whole, recorded.writes)
    const expected = await deliveredReport(whole.reports)
    for (let kept = 1; kept < recorded.writes.length; kept++) {
      const areas = await landed(recorded.records)
      await putBack(areas, recorded.writes.slice(0, kept))
      const after = recorded.writes[kept - 1]?.key ?? ''
      assert.equal((await go(areas)).kind, 'delivered', `killed after ${after}`)
      assert.deepEqual(await deliveredReport(areas.reports), expected, `killed after ${after}`)
    }
  })
}

test.run()
