import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { startS3Server } from '../../fixtures/servers/s3-server.ts'
import { openStore } from '../adapters/open-store.ts'
import { exitCodes } from '../cli/exit-code.ts'
import { runCommand } from '../cli/program.ts'

Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' })

const test = suite('hand-over to the keeper')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-handover-test-'))
const server = await startS3Server()
server.makeBucket('records')
test.after(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})
writeFileSync(
  join(folder, 'wharfinger.yaml'),
  `s3: { endpoint: '${server.endpoint}', region: eu-west-2, forcePathStyle: true }
state: s3://records/state
reports: s3://records/reports
dropZones: [{ name: zone, address: 's3://records/zone' }]
threads: 1
`,
)
const zone = openStore({
  kind: 's3',
  bucket: 'records',
  prefix: 'zone/',
  endpoint: server.endpoint,
  region: 'eu-west-2',
  forcePathStyle: true,
})

async function wharfinger(...args: string[]) {
  let out = ''
  let err = ''
  const exitCode = await runCommand(args, {
    folder,
    env: { WHARFINGER_SCRATCH: folder },
    now: () => new Date('2026-11-27T09:00:00Z'),
    out: { write: (text) => void (out += text), isTerminal: false },
    err: { write: (text) => void (err += text), isTerminal: false },
    signal: new AbortController().signal,
  })
  return { exitCode, out, err }
}

const files = { 'a.txt': 'a', 'Letters/b.txt': 'b' }
const line = (path: string, content: string) =>
  `${createHash('sha256').update(content).digest('hex')}  ${path}\n`
const REFERENCE = 'WHF-2026-C'
const handover = (...more: string[]) =>
  wharfinger(
    ...`handover ${REFERENCE} --receipt receipt.txt --who keeper --why in-the-store`.split(' '),
    ...more,
  )

test('only what is accepted, proved file by file, is handed over; and only then is it marked', async () => {
  const root = 'office/networkdrive/t1/'
  for (const [path, content] of Object.entries(files))
    await zone.createIfAbsent(`${root}records/${path}`, content)
  await zone.createIfAbsent(`${root}complete.json`, '{}')
  assert.equal((await wharfinger('sweep')).exitCode, exitCodes.sound)
  const whole = Object.entries(files).map(([path, content]) => line(`./records/${path}`, content))
  writeFileSync(join(folder, 'receipt.txt'), whole.join(''))
  assert.match((await handover()).err, /has not been accepted as its newest report/)
  await wharfinger('accept', REFERENCE, '--who', 'an', '--why', 'complete')

  writeFileSync(join(folder, 'receipt.txt'), whole[0] ?? '')
  assert.match(
    (await handover('--mark')).err,
    /1 are not in it and 0 differ \(Letters\/b.txt is not/,
  )
  writeFileSync(join(folder, 'receipt.txt'), (whole[0] ?? '') + line('records/Letters/b.txt', 'c'))
  assert.match((await handover('--mark')).err, /0 are not in it and 1 differ/)
  writeFileSync(join(folder, 'receipt.txt'), 'nothing that is known')
  assert.match((await handover()).err, /is no manifest that is known/)
  assert.deepEqual(await zone.tags(`${root}records/a.txt`), {}, 'acceptance alone marks nothing')

  server.setTags('records', `zone/${root}records/a.txt`, { GuardDutyMalwareScanStatus: 'CLEAN' })
  writeFileSync(join(folder, 'receipt.txt'), whole.join(''))
  const done = await handover('--mark')
  assert.equal(done.exitCode, exitCodes.sound, done.err)
  assert.match(done.out, /2 records handed over, each with our SHA-256 .* 2 marked/)
  assert.deepEqual(await zone.tags(`${root}records/a.txt`), {
    GuardDutyMalwareScanStatus: 'CLEAN',
    'wharfinger:handed-over': 'verified',
  })
  const again = await handover('--json')
  assert.equal((JSON.parse(again.out) as { when: string }).when, '2026-11-27T09:00:00.000Z')

  await zone.write(`${root}records/a.txt`, 'changed after acceptance')
  assert.match(
    (await handover('--mark')).err,
    /changed since WHF-2026-C was sealed .*nothing was marked/,
  )
  await zone.close()
})

test.run()
