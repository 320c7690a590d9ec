import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import { makeServiceLab } from '../../fixtures/service-lab.ts'
import { startS3Server } from '../../fixtures/servers/s3-server.ts'
import { createS3Store } from '../adapters/s3-store.ts'
import { exitCodes } from '../cli/exit-code.ts'
import { runCommand } from '../cli/program.ts'
import { packageRoot } from '../package-root.ts'
import type { Delivered } from '../run/deliver.ts'
import { journalFile } from './journal.ts'

process.env['AWS_ACCESS_KEY_ID'] = 'test'
process.env['AWS_SECRET_ACCESS_KEY'] = 'test'
process.env['AWS_REGION'] = 'eu-west-2'

const test = suite('push')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-push-'))
const lab = await makeServiceLab()
const s3 = await startS3Server()
s3.makeBucket('zone')
test.after(async () => {
  await lab.close()
  await s3.close()
  rmSync(folder, { recursive: true })
})

function put(name: string, files: Readonly<Record<string, string | Buffer>>): string {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, name, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
  return join(folder, name)
}

async function wharfinger(...args: string[]) {
  let out = ''
  let err = ''
  const exitCode = await runCommand(args, {
    folder,
    env: { WHARFINGER_TOKEN: lab.tokens.office, AWS_ENDPOINT_URL_S3: s3.endpoint },
    now: () => new Date(),
    out: { write: (text) => void (out += text), isTerminal: false },
    err: { write: (text) => void (err += text), isTerminal: false },
    signal: new AbortController().signal,
  })
  return { exitCode, out, err }
}

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')
const transferOf = (transferId: string) => ({
  zone: 'lab',
  integrator: 'office',
  source: 'networkdrive',
  transferId,
})
async function fixityPassed(delivered: Delivered): Promise<number | undefined> {
  const report = JSON.parse(await lab.lab.report(delivered, 'report.json')) as {
    checks: { check: string; tally: { passed: number } }[]
  }
  return report.checks.find(({ check }) => check === 'fixity')?.tally.passed
}
type Said = { transferId: string; reference: string; sent: number; kept: number; removed: number }

test('a folder goes to the service and is READY; what changed goes as a correction of it', async () => {
  const files = {
    'Estates/a.txt': 'a',
    'Estates/Zoë & co.txt': 'b',
    'odd \\ name': 'c',
    'd.txt': 'd',
  }
  const at = put('moved', files)
  const first = await wharfinger('push', 'moved', '--to', lab.url, '--json', '--body', 'MOCK1')
  assert.equal(first.exitCode, exitCodes.sound, first.err)
  const said = JSON.parse(first.out) as Said
  assert.deepEqual([said.sent, said.kept], [4, 0])
  const delivered = await lab.deliver(transferOf(said.transferId))
  assert.equal(delivered.reference, said.reference)
  assert.ok(delivered.verdict.startsWith('READY'), delivered.verdict)
  assert.equal(await fixityPassed(delivered), 4, 'the manifest covers every file')
  assert.equal(delivered.transfer.transferringBody, 'MOCK1')

  const again = await wharfinger('push', 'moved', '--to', lab.url)
  assert.equal(again.exitCode, exitCodes.unchecked)
  assert.match(again.err, /was pushed as .*: --correct sends what changed/)

  writeFileSync(join(at, 'Estates/a.txt'), 'a, corrected')
  rmSync(join(at, 'odd \\ name'))
  const second = await wharfinger('push', 'moved', '--to', lab.url, '--correct', '--json')
  assert.equal(second.exitCode, exitCodes.sound, second.err)
  const corrected = JSON.parse(second.out) as Said
  assert.deepEqual([corrected.sent, corrected.kept, corrected.removed], [1, 2, 1])
  const report = await lab.deliver(transferOf(corrected.transferId))
  assert.deepEqual([report.reference, report.attempt], [said.reference, 2])
  assert.ok(report.verdict.startsWith('READY'), await lab.lab.report(report, 'findings.csv'))
  assert.equal(report.counts.files, 3)
})

test('--wait says what the report says, and that it needs the service', async () => {
  put('waiting', { 'a.txt': 'a' })
  const waiting = wharfinger('push', 'waiting', '--to', lab.url, '--wait', '--quiet')
  const journal = journalFile(join(folder, 'waiting'))
  const completed = () =>
    existsSync(journal) && readFileSync(journal, 'utf8').includes('"completed"')
  while (!completed()) await new Promise((resolve) => setTimeout(resolve, 5))
  const [begun = ''] = readFileSync(journal, 'utf8').split('\n')
  await lab.deliver(transferOf((JSON.parse(begun) as Said).transferId))
  const { exitCode, out } = await waiting
  assert.equal(exitCode, exitCodes.sound)
  assert.match(out, /READY: .*\nReport: http:.*\/pages\/consignments\/WHF-/)
  const refused = await wharfinger(
    'push',
    'waiting',
    '--to',
    './zone',
    '--wait',
    '--integrator',
    'a',
  )
  assert.match(refused.err, /--wait needs the address of the service/)
})

test('a folder with records and metadata of its own is landed as it lies, in a folder drop zone', async () => {
  put('laid-out', {
    'records/a.txt': 'a',
    'metadata/metadata.csv': 'filepath\r\na.txt\r\n',
    'notes of mine.txt': 'not for the archive',
  })
  const { exitCode, out, err } = await wharfinger(
    ...'push laid-out --to ./zone --integrator mill --json'.split(' '),
  )
  assert.equal(exitCode, exitCodes.sound, err)
  const root = join(folder, 'zone/mill/networkdrive', (JSON.parse(out) as Said).transferId)
  assert.equal(readFileSync(join(root, 'records/a.txt'), 'utf8'), 'a')
  assert.equal(
    readFileSync(join(root, 'metadata/manifest-sha256.txt'), 'utf8'),
    `${sha256('a')}  a.txt\n`,
  )
  assert.ok(!existsSync(join(root, 'records/notes of mine.txt')))
  assert.deepEqual(JSON.parse(readFileSync(join(root, 'complete.json'), 'utf8')), {
    expectedNumberFiles: 1,
    loadedNumberFiles: 1,
    loadErrors: [],
  })
})

test('into a bucket: in parts above 100 MB, through cut connections, and nothing is replaced', async () => {
  const large = Buffer.alloc(101_000_000, 'wharf')
  put('bucket', { 'large.bin': large, 'small.txt': 'small' })
  s3.fault({ operation: 'UploadPart', keyPart: 'large', times: 2, status: 503, code: 'SlowDown' })
  s3.fault({ operation: 'PutObject', keyPart: 'small', times: 1, loseAnswer: true })
  const { exitCode, out, err } = await wharfinger(
    ...'push bucket --to s3://zone/in --integrator mill --json'.split(' '),
  )
  assert.equal(exitCode, exitCodes.sound, err)
  const { transferId } = JSON.parse(out) as Said
  const store = createS3Store({
    kind: 's3',
    bucket: 'zone',
    prefix: `in/mill/networkdrive/${transferId}/`,
    endpoint: s3.endpoint,
    forcePathStyle: true,
  })
  assert.equal((await store.head('records/large.bin'))?.sizeBytes, large.byteLength)
  const manifest = await store.readWhole('metadata/manifest-sha256.txt', { maxBytes: 1000 })
  assert.equal(
    Buffer.from(manifest).toString(),
    `${sha256(large)}  large.bin\n${sha256('small')}  small.txt\n`,
  )
  await store.close()
})

test('killed (SIGKILL) in the middle, the same command goes on and sends nothing twice', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`f${String(i).padStart(3, '0')}`, `content ${i}`]),
  )
  put('killed', files)
  const journal = journalFile(join(folder, 'killed'))
  const sent = () =>
    existsSync(journal) ? readFileSync(journal, 'utf8').split('"kind":"file"').length - 1 : 0
  const child = spawn(
    process.execPath,
    [join(packageRoot(), 'dist/engine/main.js'), 'push', 'killed', '--to', lab.url, '-q'],
    { cwd: folder, env: { ...process.env, WHARFINGER_TOKEN: lab.tokens.office }, stdio: 'ignore' },
  )
  while (sent() < 20 && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 2))
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('close', resolve))
  const before = sent()
  assert.ok(before >= 20 && before < 300, `${before} were sent`)
  appendFileSync(journal, '{"kind":"file","key":"records/f2') // a line that the kill cut off
  const { exitCode, out, err } = await wharfinger('push', 'killed', '--to', lab.url, '--json')
  assert.equal(exitCode, exitCodes.sound, err)
  const { sent: now, kept, transferId } = JSON.parse(out) as Said
  assert.ok(kept >= before - 1 && now + kept === 300, `${now} sent, ${kept} kept of ${before}`)
  const delivered = await lab.deliver(transferOf(transferId))
  assert.equal(delivered.verdict, 'READY')
  assert.equal(await fixityPassed(delivered), 300)
})

test('a file taken out, and nothing else, is a correction like any other', async () => {
  put('shrunk', { 'a.txt': 'a', 'b.txt': 'b' })
  writeFileSync(join(folder, 'token'), `${lab.tokens.office}\n`)
  const push = async (...more: string[]) => {
    const args = ['push', 'shrunk', '--to', lab.url, '--token-file', 'token', '--json', ...more]
    const { out, err } = await wharfinger(...args)
    assert.equal(err, '')
    return JSON.parse(out) as Said
  }
  const first = await push()
  await lab.deliver(transferOf(first.transferId))
  rmSync(join(folder, 'shrunk', 'b.txt'))
  const { transferId, removed } = await push('--correct')
  assert.equal(removed, 1)
  const corrected = await lab.deliver(transferOf(transferId))
  assert.deepEqual([corrected.verdict, corrected.counts.files], ['READY', 1])
  const again = await lab.call('office', 'POST', `/load/networkdrive/complete/${transferId}`, {
    json: {
      expectedNumberFiles: 0,
      loadedNumberFiles: 0,
      loadErrors: [],
      corrects: first.transferId,
      remove: ['b.txt'],
    },
  })
  assert.equal(again.body.success, true)
  put('shrunk', { 'a.txt': 'another' })
  const third = await push('--correct')
  assert.deepEqual([third.sent, third.removed], [1, 0], 'what is gone is not taken out twice')
  const last = await lab.deliver(transferOf(third.transferId))
  assert.deepEqual([last.attempt, last.verdict], [3, 'READY'])
})

test('a file that changed after a cut goes as it was sent; cut while completing, it was completed', async () => {
  const at = put('cut', { 'a.txt': 'a', 'b.txt': 'b' })
  const journal = journalFile(at)
  await wharfinger('push', 'cut', '--to', './zone', '--integrator', 'mill')
  const whole = readFileSync(journal, 'utf8').trimEnd().split('\n')
  // As a kill leaves it before it was completed, and with one file changed since.
  const { transferId } = JSON.parse(whole[0] ?? '') as Said
  const root = join(folder, 'zone/mill/networkdrive', transferId)
  rmSync(join(root, 'complete.json'))
  rmSync(join(root, 'metadata'), { recursive: true })
  writeFileSync(journal, `${whole.slice(0, 3).join('\n')}\n`)
  writeFileSync(join(at, 'b.txt'), 'b, changed')
  const resumed = await wharfinger('push', 'cut', '--to', './zone', '--integrator', 'mill')
  assert.equal(resumed.exitCode, exitCodes.sound, resumed.err)
  assert.match(resumed.out, /1 file changed after being sent: run it again with --correct/)
  assert.match(
    readFileSync(join(root, 'metadata/manifest-sha256.txt'), 'utf8'),
    new RegExp(`${sha256('b')}  b.txt`),
  )
  // As a kill leaves it after complete.json was written.
  const again = readFileSync(journal, 'utf8').trimEnd().split('\n')
  writeFileSync(journal, `${again.slice(0, -1).join('\n')}\n`)
  const twice = await wharfinger('push', 'cut', '--to', './zone', '--integrator', 'mill')
  assert.match(twice.err, /was pushed as .*--correct/)
  const correct = '--correct --json --to ./zone --integrator mill'.split(' ')
  const corrected = await wharfinger('push', 'cut', ...correct)
  assert.equal((JSON.parse(corrected.out) as Said).sent, 1, corrected.err)
})

test('what cannot be sent is said in a sentence', async () => {
  const said = async (...args: string[]) => (await wharfinger('push', ...args)).err
  assert.match(await said('nowhere', '--to', lab.url), /there is no folder/)
  mkdirSync(join(folder, 'hollow'))
  assert.match(await said('hollow', '--to', lab.url), /holds no file/)
  put('linked', { 'a.txt': 'a' })
  symlinkSync('/etc/hostname', join(folder, 'linked/link'))
  assert.match(await said('linked', '--to', lab.url), /link is a symbolic link and no file/)
  put('plain', { 'a.txt': 'a' })
  assert.match(await said('plain', '--to', lab.url, '--token', 'wrong'), /does not know the token/)
  assert.match(await said('plain', '--to', lab.url, '--source', 'fax'), /--source is one of/)
  assert.match(await said('plain', '--to', 'http://records.example'), /use the https/)
  assert.match(await said('plain', '--to', lab.url, '--token-file', 'no'), /cannot be read/)
  assert.match(await said('plain', '--to', lab.url, '--token', 'a b'), /no token has/)
  assert.match(await said('plain', '--to', './zone'), /needs --integrator/)
  assert.match(await said('plain', '--to', lab.url, '--correct'), /nothing to correct/)
  assert.match(await said('plain', '--to', lab.url, '--parallel', 'many'), /--parallel takes/)
})

test.run()
