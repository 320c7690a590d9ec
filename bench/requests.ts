import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createS3Store } from '../engine/adapters/s3-store.ts'
import { readConfig, zoneWithDefaults } from '../engine/config.ts'
import { createCheckPool } from '../engine/pool/pool.ts'
import { processTransfer } from '../engine/run/process.ts'
import { startS3Server } from '../fixtures/servers/s3-server.ts'

const TEST = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' }

const LINES_PER_MANIFEST = 100_000

/** S3 requests of one whole consignment, counted at the server, by operation. */
export async function countRequests(files: number): Promise<Readonly<Record<string, number>>> {
  Object.assign(process.env, TEST)
  const server = await startS3Server()
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-requests-'))
  const addressOf = (bucket: string, prefix: string) =>
    ({
      kind: 's3',
      bucket,
      prefix,
      endpoint: server.endpoint,
      forcePathStyle: true,
      region: 'us-east-1',
    }) as const
  for (const bucket of ['dropzone', 'state']) server.makeBucket(bucket)
  const [zone, state, reports] = [
    createS3Store(addressOf('dropzone', '')),
    createS3Store(addressOf('state', 'state/')),
    createS3Store(addressOf('state', 'reports/')),
  ]
  const pool = createCheckPool({ threads: 2 })
  try {
    const root = 'office/networkdrive/t1/'
    let manifest: string[] = []
    for (let i = 0; i < files; i++) {
      const path = `folder ${i % 100}/file ${i}.txt`
      const content = `record ${i}\n`
      manifest.push(`${createHash('sha256').update(content).digest('hex')}  ${path}\n`)
      await server.seed('dropzone', `${root}records/${path}`, content)
      // The test's server takes no object above 11 MB in one request.
      if (manifest.length < LINES_PER_MANIFEST && i + 1 < files) continue
      await server.seed('dropzone', `${root}metadata/manifest-${i}.sha256`, manifest.join(''))
      manifest = []
    }
    await zone.createIfAbsent(`${root}complete.json`, '{}')
    server.resetRequests()
    const config = readConfig('', { folder, threads: 2, scratch: folder })
    await processTransfer(
      {
        config: { ...config, state: addressOf('state', 'state/') },
        state,
        reports,
        pool,
        now: () => new Date(),
        signal: new AbortController().signal,
      },
      zoneWithDefaults('lab', addressOf('dropzone', '')),
      zone,
      { zone: 'lab', integrator: 'office', source: 'networkdrive', transferId: 't1' },
      { reportNow: true },
    )
    return server.requests()
  } finally {
    await pool.stop()
    await Promise.all([zone.close(), state.close(), reports.close()])
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
