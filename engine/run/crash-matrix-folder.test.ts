import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import type { StoreAddress } from '../pool/messages.ts'
import { land, type Areas } from '../../fixtures/recorded-run.ts'
import { crashMatrix, records, transfer } from './crash-matrix.contract.ts'

const test = suite('crash matrix on a folder')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-crash-'))
test.after(() => rmSync(folder, { recursive: true }))

test('killed after any durable write, the next run ends with the same report', async () => {
  let count = 0
  const zone = join(folder, 'dropzone')
  const landed = async (): Promise<StoreAddress> => {
    await land({ kind: 'folder', path: zone }, transfer, records)
    return { kind: 'folder', path: zone }
  }
  const fresh = (): Areas => {
    count++
    return {
      zone: { kind: 'folder', path: zone },
      state: { kind: 'folder', path: join(folder, `state-${count}`) },
      reports: { kind: 'folder', path: join(folder, `reports-${count}`) },
    }
  }
  await crashMatrix('folder', landed, fresh, folder)
})

test.run()
