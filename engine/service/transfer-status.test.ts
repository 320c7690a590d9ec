import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { makeLab } from '../../fixtures/lab.ts'
import type { TransferAddress } from '../model/transfer.ts'
import { decide } from '../run/decisions.ts'
import { openTransfer } from '../run/process.ts'
import { takeTransfer } from '../run/take.ts'
import type { ServiceContext } from './context.ts'
import { Problem } from './problem.ts'
import { TransferReader, type TransferStatus } from './transfer-status.ts'
import { createUploads } from './uploads.ts'

const test = suite('how far a transfer is')

const at = (status: TransferStatus) =>
  status.steps.find(({ state }) => state === 'in progress')?.step ?? 'the end'

test('each step is told, with how much of it is done', async () => {
  const lab = makeLab({ yaml: 'chunk: { maxFiles: 1 }' })
  try {
    const { engine, zone, zoneStore } = lab
    const context: ServiceContext = {
      config: engine.config,
      zone,
      zoneStore,
      state: engine.state,
      reports: engine.reports,
      now: engine.now,
      awake: () => ({ state: 'open' }),
    }
    // A new reader each time: one reader's looks are shared for half a second.
    const look = (transfer: TransferAddress) => new TransferReader(context).status(transfer)
    const nowhere = { zone: 'lab', integrator: 'office', source: 'sharepoint', transferId: 'x' }
    await assert.rejects(look(nowhere), (error) => error instanceof Problem && error.status === 404)
    const transfer = lab.land('t1', { 'records/a': 'aa', 'records/b': 'bbb' })
    assert.equal(at(await look(transfer)), 'take')
    await takeTransfer(zoneStore, engine.state, transfer, {
      referencePrefix: 'WHF',
      now: engine.now(),
    })
    assert.equal(at(await look(transfer)), 'seal')
    await openTransfer(engine, zone, zoneStore, transfer)
    const checking = await look(transfer)
    assert.equal(at(checking), 'check')
    const step = checking.steps.find(({ step: name }) => name === 'check')
    assert.deepEqual(step?.files, { done: 0, of: 2 })
    assert.deepEqual(step?.bytes, { done: 0, of: 5 })
    assert.equal(checking.status, 'InProgress')
    const delivered = await lab.deliver(transfer)
    const reported = await look(transfer)
    assert.equal(at(reported), 'decide')
    assert.deepEqual([reported.processed, reported.verdict], [true, delivered.verdict])
    await decide(engine.state, engine.reports, () => zoneStore, {
      kind: 'returned',
      reference: delivered.reference,
      who: 'ann',
      why: 'wrong series',
      now: engine.now(),
    })
    const decided = await look(transfer)
    assert.equal(at(decided), 'the end')
    assert.equal(decided.decision?.kind, 'returned')
    assert.ok(!JSON.stringify(decided).includes('ann'), 'who decided is not the sender’s to know')
  } finally {
    await lab.close()
  }
})

test('a link into a folder ends when it says so, and cannot be changed', async () => {
  const lab = makeLab()
  try {
    let now = lab.engine.now()
    const uploads = createUploads(
      {
        config: lab.engine.config,
        zone: lab.zone,
        zoneStore: lab.zoneStore,
        state: lab.engine.state,
        reports: lab.engine.reports,
        now: () => now,
        awake: () => ({ state: 'open' }),
      },
      () => 'http://service.example',
    )
    const transfer = { zone: 'lab', integrator: 'office', source: 'sharepoint', transferId: 't' }
    const offer = await uploads.offer(transfer, { key: 'records/a', sizeBytes: 1 })
    if (offer.kind !== 'single') throw new Error('not in one request')
    const token = offer.url.slice('http://service.example/uploads/'.length)
    async function* body() {
      yield Buffer.from('x')
    }
    const [text = '', signature = ''] = token.split('.')
    const ticket = JSON.parse(Buffer.from(text, 'base64url').toString()) as object
    const forged = Buffer.from(JSON.stringify({ ...ticket, key: 'records/b' })).toString(
      'base64url',
    )
    const refused = (status: number) => (error: unknown) =>
      error instanceof Problem && error.status === status
    await assert.rejects(uploads.receive(`${forged}.${signature}`, body(), 1), refused(404))
    now = new Date(offer.expiresAt)
    await assert.rejects(uploads.receive(token, body(), 1), refused(403))
    now = new Date(Date.parse(offer.expiresAt) - 1)
    async function* slow() {
      now = new Date(Date.parse(offer.expiresAt) + 3_600_001)
      yield Buffer.from('x')
    }
    await assert.rejects(uploads.receive(token, slow(), 1), refused(408))
    now = new Date(Date.parse(offer.expiresAt) - 1)
    await uploads.receive(token, body(), 1)
    assert.equal((await lab.zoneStore.head('office/sharepoint/t/records/a'))?.sizeBytes, 1)
  } finally {
    await lab.close()
  }
})

test.run()
