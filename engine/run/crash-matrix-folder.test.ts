import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import { transferPrefix } from '../model/transfer.ts'
import type { StoreAddress } from '../pool/messages.ts'
import { crashMatrix, records, transfer, type Place } from './crash-matrix.contract.ts'

const test = suite('crash matrix on a folder')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-crash-'))
test.after(() => rmSync(folder, { recursive: true }))

test('killed after any durable write, the next run ends with the same report', async () => {
  let count = 0
  const zone = join(folder, 'dropzone')
  const land = async (): Promise<StoreAddress> => {
    for (const [path, content] of Object.entries(records)) {
      const file = join(zone, transferPrefix(transfer), path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
    }
    return { kind: 'folder', path: zone }
  }
  const fresh = (): Place => {
    count++
    return {
      zone: { kind: 'folder', path: zone },
      state: { kind: 'folder', path: join(folder, `state-${count}`) },
      reports: { kind: 'folder', path: join(folder, `reports-${count}`) },
    }
  }
  await crashMatrix('folder', land, fresh, folder)
})

test.run()
