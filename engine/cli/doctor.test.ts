import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { startS3Server } from '../../fixtures/servers/s3-server.ts'
import { exitCodes } from './exit-code.ts'
import { runCommand } from './program.ts'

process.env['AWS_ACCESS_KEY_ID'] = 'test'
process.env['AWS_SECRET_ACCESS_KEY'] = 'test'

const test = suite('doctor')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-doctor-test-'))
const server = await startS3Server()
server.makeBucket('records')
test.after(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

async function doctor(yaml: string, more: { now?: Date; scratch?: string } = {}) {
  writeFileSync(join(folder, 'wharfinger.yaml'), yaml)
  let out = ''
  const exitCode = await runCommand(['doctor', '--json'], {
    folder,
    env: { WHARFINGER_SCRATCH: more.scratch ?? folder },
    now: () => more.now ?? new Date(),
    out: { write: (text) => void (out += text), isTerminal: false },
    err: { write: () => undefined, isTerminal: false },
    signal: new AbortController().signal,
  })
  const { healthy, diagnoses } = JSON.parse(out) as {
    healthy: boolean
    diagnoses: { what: string; ok: boolean; says: string }[]
  }
  assert.equal(healthy, exitCode === exitCodes.sound)
  return {
    exitCode,
    says: (what: string) => diagnoses.find((one) => one.what === what)?.says ?? 'nothing',
    wrong: diagnoses.filter(({ ok }) => !ok).map(({ what }) => what),
  }
}

const onS3 = (more = '') => `
s3: { endpoint: '${server.endpoint}', region: eu-west-2, forcePathStyle: true }
state: s3://records/state
reports: s3://records/reports
threads: 2
dropZones: [{ name: inbox, address: 's3://records/inbox' }]
${more}`

test('a sound deployment is sound, and what is only worth knowing is said', async () => {
  const { says, wrong } = await doctor(onS3())
  // The scratch disk of this machine may really be too full.
  assert.deepEqual(
    wrong.filter((what) => what !== 'scratch disk'),
    [],
  )
  assert.match(says('worker threads'), /^2 of 2 answer$/)
  assert.match(says('state: clock'), /\d s from the store's$/)
  assert.match(says('drop zone inbox'), /0 integrators; versions are not kept/)
})

test('a clock that is an hour off is told from the store, with its direction', async () => {
  const { says, wrong } = await doctor(onS3(), { now: new Date(Date.now() - 3_600_000) })
  assert.ok(wrong.includes('state: clock'))
  assert.match(says('state: clock'), /^ours is 3(599|600|601) s behind the store's/)
})

test('a scratch folder that is not there and a queue that nobody serves are named', async () => {
  const queue = `queue: { region: eu-west-2, endpoint: '${server.endpoint}', url: '${server.endpoint}/0/none' }`
  const { wrong, exitCode } = await doctor(onS3(queue), { scratch: join(folder, 'nowhere') })
  assert.equal(exitCode, exitCodes.usage)
  assert.deepEqual(wrong, ['scratch disk', 'queue chunks'])
})

test.run()
