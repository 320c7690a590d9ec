import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import {
  changeWhileProcessed,
  landSample,
  sampleNames,
  samplesFolder,
} from '../../fixtures/consignments.ts'
import { comparable, makeLab } from '../../fixtures/lab.ts'

/**
 * Every sample's report, compared whole with the one that was reviewed by hand.
 * `WRITE_EXPECTED=1` writes them anew: read the difference before committing it.
 */
const test = suite('sample consignments')
const lab = makeLab({ threads: 2 })
test.after(() => lab.close())

for (const name of sampleNames()) {
  test(`${name}: the report is the reviewed one, byte for byte`, async () => {
    const transfer = landSample(name, lab.dropZone, lab.zone.name)
    const delivered = await lab.deliver(transfer, {
      onProgress: ({ kind }) => {
        if (kind === 'sealed') changeWhileProcessed(transfer, lab.dropZone)
      },
    })
    const json = `${JSON.stringify(comparable(await lab.report(delivered, 'report.json')), undefined, 2)}\n`
    const actual = {
      'report.json': json,
      'findings.csv': await lab.report(delivered, 'findings.csv'),
      'files.csv': await lab.report(delivered, 'files.csv'),
    }
    const expected = join(samplesFolder, name, 'expected')
    for (const [file, content] of Object.entries(actual)) {
      const path = join(expected, file)
      if (process.env['WRITE_EXPECTED'] === '1') {
        mkdirSync(expected, { recursive: true })
        writeFileSync(path, content)
      }
      assert.ok(existsSync(path), `${path} is missing`)
      assert.equal(content, readFileSync(path, 'utf8'))
    }
  })
}

test.run()
