import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { landSample, sampleNames } from '../../fixtures/consignments.ts'
import { comparable, makeLab } from '../../fixtures/lab.ts'
import { createCheckPool } from '../pool/pool.ts'
import { totalsAddUp } from '../flow/tally.ts'
import type { CheckTally } from '../model/check.ts'

const test = suite('laws of the report')
const pools = [1, 2, 4].map((threads) => ({ threads, pool: createCheckPool({ threads }) }))
test.after(async () => {
  for (const { pool } of pools) await pool.stop()
})

/** All reports of the samples, for one way of cutting and sharing out the work. */
async function reports(
  chunkFiles: number,
  { threads, pool }: (typeof pools)[number],
): Promise<string> {
  const lab = makeLab({ pool, threads, yaml: `chunk: { maxFiles: ${chunkFiles} }` })
  try {
    const all = []
    for (const name of sampleNames()) {
      const delivered = await lab.deliver(landSample(name, lab.dropZone, lab.zone.name))
      all.push({
        name,
        json: comparable(await lab.report(delivered, 'report.json')),
        findings: await lab.report(delivered, 'findings.csv'),
        files: await lab.report(delivered, 'files.csv'),
      })
    }
    return JSON.stringify(all)
  } finally {
    await lab.close()
  }
}

test('the same consignment gives the same report for any chunk size and number of threads', async () => {
  const [first] = pools
  assert.ok(first)
  const expected = await reports(1, first)
  for (const [chunkFiles, at] of [
    [7, 0],
    [500, 0],
    [1, 1],
    [7, 1],
    [500, 1],
    [1, 2],
    [7, 2],
    [500, 2],
  ] as const) {
    const how = pools[at]
    assert.ok(how)
    assert.equal(
      await reports(chunkFiles, how),
      expected,
      `chunks of ${chunkFiles}, ${how.threads} threads`,
    )
  }
})

test('in every row of every report, done and not done add up', async () => {
  const [, two] = pools
  assert.ok(two)
  const all = JSON.parse(await reports(3, two)) as {
    name: string
    json: { checks: { check: string; tally: CheckTally }[] }
  }[]
  assert.ok(all.length >= 8)
  for (const { name, json } of all) {
    for (const { check, tally } of json.checks) assert.ok(totalsAddUp(tally), `${name}: ${check}`)
  }
})

test.run()
