import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { packageRoot } from '../package-root.ts'
import { ENGINE_VERSION } from '../version.ts'
import { exitCodes } from './exit-code.ts'
import { runCommand } from './program.ts'

const test = suite('command line')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-cli-'))
test.after(() => rmSync(folder, { recursive: true }))

async function command(...args: string[]) {
  let out = ''
  let err = ''
  const exitCode = await runCommand(args, {
    folder,
    env: {},
    now: () => new Date('2026-11-24T09:00:00Z'),
    out: { write: (text) => void (out += text), isTerminal: false },
    err: { write: (text) => void (err += text), isTerminal: false },
    signal: new AbortController().signal,
  })
  return { exitCode, out, err }
}

function land(id: string, files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, 'dropzone/office/drive', id, path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, content)
  }
}

test('the version is the one of package.json', async () => {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    version: string
  }
  assert.equal(ENGINE_VERSION, version)
  assert.equal((await command('--version')).out.trim(), version)
})

test('a mistyped command is guessed, and is a usage error', async () => {
  const { exitCode, err } = await command('sweap')
  assert.equal(exitCode, exitCodes.usage)
  assert.match(err, /Did you mean sweep/)
})

test('a folder or a bag is judged before it is sent, and nothing of it is kept', async () => {
  const bag = join(folder, 'desk', 'bag')
  cpSync(join(packageRoot(), 'fixtures', 'sources', 'bagit-manifest', 'good', 'basic'), bag, {
    recursive: true,
  })
  const sound = await command('validate', 'desk/bag')
  assert.equal(sound.exitCode, exitCodes.sound, sound.err)
  assert.match(sound.out, /READY/)
  assert.match(sound.out, /nothing was sent or kept/)
  writeFileSync(join(bag, 'data', 'a.txt'), 'changed')
  const broken = await command('validate', 'desk/bag', '--json')
  assert.equal(broken.exitCode, exitCodes.issues)
  assert.match(broken.out, /CHECKSUM\.MISMATCH/)
  assert.match((await command('validate', 'desk/bag', '--fix')).err, /take one file/)
  assert.deepEqual(readdirSync(join(folder, 'desk')), ['bag'])
})

test('help shows examples and exit codes', async () => {
  assert.match((await command('--help')).out, /Exit codes: 0 all sound/)
  assert.match((await command('run', '--help')).out, /wharfinger run s3:/)
})

test('a drop zone is checked, its report shown and accepted; every mistake on the way is explained', async () => {
  assert.match((await command('run', './nothing')).err, /is empty or not there/)
  land('t1', { 'records/a.txt': 'a', 'complete.json': '{}' })
  const run = await command('run', './dropzone')
  assert.equal(run.exitCode, exitCodes.sound)
  assert.match(run.out, /WHF-2026-C +t1 +READY +1 /)
  const path = /\S+report\.html/.exec(run.out)?.[0] ?? ''
  assert.ok(existsSync(path))
  assert.match((await command('run', './dropzone')).out, /Nothing to do/)
  assert.match((await command('report', 'WHF-2026-C')).out, /CONSIGNMENT WHF-2026-C {2}- {2}READY/)
  assert.match((await command('report', '--list')).out, /WHF-2026-C/)
  assert.match((await command('report')).err, /--list/)
  assert.match((await command('report', 'WHF-2026-ZZ')).err, /there is no consignment/)
  assert.match((await command('report', '../x')).err, /is no consignment reference/)
  assert.match(
    (await command('accept', 'WHF-2026-C', '--who', 'A', '--why', 'complete')).err,
    /drop zone `default` is not in the configuration/,
  )
  const zone = ['--zone', './dropzone']
  assert.match(
    (await command('accept', 'WHF-2026-C', '--who', 'A', '--why', 'complete', ...zone)).out,
    /accepted by A/,
  )
  assert.match(
    (await command('return', 'WHF-2026-C', '--who', 'B', '--why', 'x', ...zone)).err,
    /already accepted by A/,
  )
  assert.match((await command('report', 'WHF-2026-C')).out, /ACCEPTED by A/)
  assert.equal((await command('accept', 'WHF-2026-C')).exitCode, exitCodes.usage)
})

test('one transfer can be named by its path, and issues have an exit code of their own', async () => {
  land('t2', { 'records/a.txt': '', 'complete.json': '{}' })
  land('t3', { 'records/a.txt': 'x', 'complete.json': '{}' })
  const { exitCode, out } = await command('run', './dropzone/office/drive/t2', '--json')
  assert.equal(exitCode, exitCodes.issues)
  const [only, ...others] = JSON.parse(out) as {
    verdict: string
    transfer: { transferId: string }
  }[]
  assert.equal(only?.transfer.transferId, 't2')
  assert.equal(only?.verdict, 'NEEDS SENDER')
  assert.equal(others.length, 0)
})

test('a configuration with mistakes is refused with all of them, each with its place', async () => {
  writeFileSync(
    join(folder, 'bad.yaml'),
    'thread: 2\nreferencePrefix: tdr\ndropZones:\n  - name: X y\n  - name: inside\n    address: .\n',
  )
  const { exitCode, err } = await command('sweep', '--config', 'bad.yaml')
  assert.equal(exitCode, exitCodes.usage)
  assert.match(err, /line 1, column 1: `thread` is not a setting; did you mean `threads`/)
  assert.match(err, /line 2, column 1: `referencePrefix` has to be 2 to 10 capital letters/)
  assert.match(err, /`name` has to be small letters/)
  assert.match(err, /needs an `address`/)
  assert.match(err, /state must not lie inside the drop zone `inside`/)
})

test('a sweep without a drop zone says what to configure', async () => {
  const { exitCode, err } = await command('sweep')
  assert.equal(exitCode, exitCodes.usage)
  assert.match(err, /no drop zone is configured/)
})

test('XML is validated too: its rows, and a schema that lies beside it', async () => {
  writeFileSync(join(folder, 'r.xml'), '<r>\n<file filepath="a.txt" closure_status="open"/></r>')
  const { exitCode, out } = await command('validate', 'r.xml')
  assert.equal(exitCode, exitCodes.issues)
  assert.match(out, /line 2, “r\/file\/@closure_status”: found “open”/)
  writeFileSync(join(folder, 'r.xsd'), '<xs:schema')
  assert.match((await command('validate', 'r.xml')).err, /is not a schema that can be used/)
  const schema =
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="q"/></xs:schema>'
  writeFileSync(join(folder, 'r.xsd'), schema)
  assert.match((await command('validate', 'r.xml')).out, /does not follow its schema/)
  assert.match((await command('validate', 'r.xml', '--fix')).err, /corrects tables, not XML/)
})

test('what is no metadata is not read as a table, and a row without a required column never passes', async () => {
  const said = async (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return command('validate', name)
  }
  const deep = await said('deep.xml', '<a>'.repeat(100_000))
  assert.equal(deep.exitCode, exitCodes.issues)
  assert.match(deep.out, /^error: .*nested deeper than 100 levels.*\n.*\n$/)
  assert.match((await said('x.json', '{"a": 1}')).out, /of no kind that we can read.*JSON/)
  const table = await said('short.csv', 'filepath,description\na.txt,A\n')
  assert.match(table.out, /A column that has to be there is missing/)
  assert.match(table.out, /1 row: 0 passed, 1 failed/)
})

test('a metadata table is validated before anything is sent, and corrected only where nothing is guessed', async () => {
  const header =
    'filepath;filename;date last modified;date of the record;description;former reference;closure status;closure start date;closure period;foi exemption code;foi schedule date;is filename closed;alternate filename;is description closed;alternate description;language;translated filename;copyright'
  writeFileSync(
    join(folder, 'table.csv'),
    `${header}\r\na.txt;a.txt;2024-01-02;26/03/2024;x;;Open;;;;;No;;No;;English;;Crown copyright\r\n`,
  )
  const { exitCode, out } = await command('validate', 'table.csv', '--fix')
  assert.equal(exitCode, exitCodes.issues)
  assert.match(out, /26\/03\/2024/)
  assert.match(out, /1 row: 0 passed, 1 failed/)
  assert.match(out, /changed delimiter/)
  assert.equal(
    readFileSync(join(folder, 'table.changes.txt'), 'utf8'),
    'delimiter, row 1: “;” to “,”\ndate, row 2, column D: “26/03/2024” to “2024-03-26”\n',
  )
  assert.equal((await command('validate', 'table.fixed.csv')).exitCode, exitCodes.sound)
  assert.match((await command('validate', 'table.csv', '--fix')).err, /is there already/)
  assert.match((await command('validate', 'nowhere.csv')).err, /there is no file/)
})

test('whatever is given to validate by mistake, it says so in words', async () => {
  const noise = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7919 + (i >> 3)) % 256))
  writeFileSync(join(folder, 'noise.csv'), noise)
  const noisy = await command('validate', 'noise.csv')
  assert.equal(noisy.exitCode, exitCodes.issues)
  assert.match(noisy.out, /^error: .*found “data that is no text”\n.*\n0 rows/)

  mkdirSync(join(folder, 'folder.xsd'))
  writeFileSync(join(folder, 'records.xml'), '<r><file filepath="a.txt"/></r>')
  const table = 'filepath,description,closure status\na.txt,A,Open\n'
  writeFileSync(join(folder, 'plain.csv'), table)
  writeFileSync(join(folder, 'list.sha256'), `${'a'.repeat(64)}  a.txt\n`)
  for (const [args, said] of [
    [['records.xml', '--schema', 'folder.xsd'], /there is no schema/],
    [['plain.csv', '--schema', 'r.xsd'], /--schema is for XML/],
    [['list.sha256', '--fix'], /--fix corrects metadata tables; this is checksums as sha256sum/],
    [['x.json', '--fix'], /--fix corrects tables, not JSON/],
  ] as const) {
    const { exitCode, err } = await command('validate', ...args)
    assert.match(err, said)
    assert.equal(exitCode, exitCodes.usage, args.join(' '))
  }
  assert.match(
    (await command('validate', 'list.sha256')).out,
    /^Taken for checksums as sha256sum.*: 1 file named, no metadata to check\.\n$/,
  )
  // A folder named like a schema beside the real one is no obstacle either.
  assert.match((await command('validate', 'r.xml')).out, /does not follow its schema/)
  assert.match((await command('validate', 'plain.csv', '--fix')).out, /no copy was written/)
  assert.ok(!existsSync(join(folder, 'plain.fixed.csv')))
})

test('a sidecar is judged alone, and JSON stays JSON beside --fix', async () => {
  const id = '6b1b9a4e-7e7c-4a0e-9f1d-000000000001'
  const sidecar = { file_path: 'content/a.txt', matchId: id, closure_type: true, closure_period: 3 }
  writeFileSync(join(folder, `${id}.metadata`), JSON.stringify(sidecar))
  const judged = await command('validate', `${id}.metadata`)
  assert.equal(judged.exitCode, exitCodes.issues)
  assert.match(judged.out, /does not say whether the record is open or closed.*found “true”/)
  assert.match(judged.out, /1 row: 0 passed, 1 failed/)
  writeFileSync(join(folder, 'one.json'), '{"FileRef": "/sites/x/y/a.txt", "FileRef": "b"}')
  assert.match((await command('validate', 'one.json')).out, /has the same name twice/)
  writeFileSync(join(folder, 'semi.csv'), 'filepath;description\na.txt;A\n')
  const { out } = await command('validate', 'semi.csv', '--fix', '--json')
  const { rows, fixed } = JSON.parse(out) as { rows: number; fixed: { changes: object[] } }
  assert.deepEqual([rows, fixed.changes.length], [1, 1])
})

test('a reader that closes the pipe early is not a failure', async () => {
  writeFileSync(join(folder, 'many.csv'), `filepath,x\n${'a.txt,\n'.repeat(500)}`)
  const main = join(packageRoot(), 'dist/engine/main.js')
  const child = spawn(process.execPath, [main, 'validate', join(folder, 'many.csv'), '--json'])
  child.stdout.destroy()
  let err = ''
  child.stderr.on('data', (text) => (err += String(text)))
  const [exitCode] = (await once(child, 'close')) as [number]
  assert.deepEqual([exitCode, err], [exitCodes.issues, ''])
})

test('doctor tries the stores, jobs lists what is checked, reindex counts', async () => {
  assert.match((await command('doctor')).out, /ok +state: one winner for each key/)
  assert.match((await command('jobs')).out, /fixity/)
  assert.match((await command('reindex')).out, /reports are in the index/)
})

test('every exit code and command is in the reference', () => {
  const reference = readFileSync(join(packageRoot(), 'docs/reference/command-line.md'), 'utf8')
  for (const code of Object.values(exitCodes))
    assert.match(reference, new RegExp(`\\| ${code} \\|`))
  for (const name of [
    'demo',
    'run',
    'sweep',
    'validate',
    'report',
    'recheck',
    'accept',
    'return',
    'withdraw',
    'reindex',
    'doctor',
    'jobs',
  ])
    assert.ok(reference.includes(`\`${name}`), name)
})

test.run()
