import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { land, type Areas } from '../../fixtures/recorded-run.ts'
import { startS3Server } from '../../fixtures/servers/s3-server.ts'
import type { StoreAddress } from '../pool/messages.ts'
import { crashMatrix, records, transfer } from './crash-matrix.contract.ts'

const test = suite('crash matrix on S3')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-crash-'))
test.after(() => rmSync(folder, { recursive: true }))

test('killed after any durable write, the next run ends with the same report', async () => {
  const server = await startS3Server()
  try {
    server.makeBucket('matrix')
    const at = (prefix: string): StoreAddress => ({
      kind: 's3',
      bucket: 'matrix',
      prefix,
      endpoint: server.endpoint,
      forcePathStyle: true,
      region: 'eu-west-2',
    })
    let count = 0
    const landed = async (): Promise<StoreAddress> => {
      await land(at('dropzone/'), transfer, records)
      return at('dropzone/')
    }
    const fresh = (): Areas => {
      count++
      return {
        zone: at('dropzone/'),
        state: at(`state-${count}/`),
        reports: at(`reports-${count}/`),
      }
    }
    // After each of them, without a process that dies of it: releases.test.ts.
    await crashMatrix('S3', landed, fresh, folder, 3)
  } finally {
    await server.close()
  }
})

test.run()
