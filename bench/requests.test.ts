import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { countRequests } from './requests.ts'

const test = suite('S3 requests of a consignment')

test('each object is read once, and what is written grows with chunks, not with files', async () => {
  const files = 1000
  const {
    GetObject = 0,
    PutObject = 0,
    ListObjectsV2 = 0,
    HeadObject = 0,
  } = await countRequests(files)
  assert.ok(GetObject <= 1.1 * files, `${GetObject} GETs`)
  assert.ok(PutObject <= 40 + (0.4 * files) / 100, `${PutObject} PUTs`)
  assert.ok(ListObjectsV2 + HeadObject <= 40, `${ListObjectsV2} lists and ${HeadObject} heads`)
})

test.run()
