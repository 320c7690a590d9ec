import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { packageRoot } from '../package-root.ts'
import { exitCodes } from './exit-code.ts'
import { runCommand } from './program.ts'

const test = suite('work and schedule')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-work-'))
test.after(() => rmSync(folder, { recursive: true }))

/** Run a command until a line of its output matches, then as if SIGTERM had come. */
async function commandUntil(
  until: RegExp | undefined,
  env: Record<string, string>,
  args: string[],
) {
  const stop = new AbortController()
  let out = ''
  let err = ''
  const exitCode = await runCommand(args, {
    folder,
    env,
    now: () => new Date('2026-11-24T09:00:00Z'),
    out: {
      write: (text) => {
        out += text
        if (until?.test(out) === true) stop.abort()
      },
      isTerminal: false,
    },
    err: { write: (text) => void (err += text), isTerminal: false },
    signal: stop.signal,
  })
  return { exitCode, out, err }
}
const command = (...args: string[]) => commandUntil(undefined, {}, args)

const SAMPLES = ['clean', 'broken-manifest', 'metadata-wrong'].filter((name) =>
  readdirSync(join(packageRoot(), 'fixtures', 'consignments')).includes(name),
)

function landSamples(): void {
  for (const name of SAMPLES) {
    const to = join(folder, 'dropzone', 'harbour-office', 'networkdrive', name)
    mkdirSync(to, { recursive: true })
    cpSync(join(packageRoot(), 'fixtures', 'consignments', name, 'transfer'), to, {
      recursive: true,
    })
    writeFileSync(join(to, 'complete.json'), '{}')
  }
}

test('work takes what has landed, delivers its reports and stops when it is told to', async () => {
  landSamples()
  const delivered = new RegExp(`(?:"msg":"delivered"[^]*){${SAMPLES.length}}`)
  const { exitCode, out } = await commandUntil(
    delivered,
    { WHARFINGER_DROP_ZONES: 'quay=./dropzone' },
    ['work'],
  )
  assert.equal(exitCode, exitCodes.sound)
  assert.match(out, /work ends: everything in hand is finished or handed back/)
  const lines = out.trim().split('\n')
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.ok(parsed.every(({ service }) => service === 'work'))
  assert.ok(
    parsed.some(({ msg, request, chunk }) => msg === 'chunk checked' && request && chunk === 0),
  )
  // Records stay out of logs: no path, no title.
  const root = join(folder, 'dropzone', 'harbour-office', 'networkdrive')
  const names = (readdirSync(root, { recursive: true }) as string[])
    .filter((path) => path.includes('/records/'))
    .map((path) => path.split('/').at(-1) ?? '')
    .filter((name) => /\.\w+$/.test(name))
  assert.ok(names.length > 0)
  for (const name of names) assert.ok(!out.includes(name), `${name} is in the log`)
  assert.match((await command('report', '--list')).out, /READY/)
})

test('work without a drop zone says what it needs', async () => {
  const { exitCode, err } = await command('work')
  assert.equal(exitCode, exitCodes.usage)
  assert.match(err, /no drop zone is configured/)
})

test('what the environment says of a deployment has to be readable', async () => {
  const { exitCode, err } = await commandUntil(undefined, { WHARFINGER_DROP_ZONES: './dropzone' }, [
    'work',
  ])
  assert.equal(exitCode, exitCodes.usage)
  assert.match(err, /name=address/)
})

test('schedules are read in plain English, paused with a reason, and resumed', async () => {
  writeFileSync(
    join(folder, 'wharfinger.yaml'),
    `dropZones: [{ name: quay, address: ./dropzone }]
schedules:
  - { name: mornings, cron: "30 7 * * MON-FRI", timeZone: Europe/London, dropZones: [quay] }
`,
  )
  const why = ['--who', 'an operator', '--why', 'a move of disks']
  assert.match(
    (await command('schedule', 'list')).out,
    /At 07:30, Monday through Friday +never +Wed 25 Nov 2026 07:30/,
  )
  assert.equal((await command('schedule', 'pause', 'mornings', ...why)).exitCode, exitCodes.sound)
  assert.match((await command('schedule', 'list')).out, /paused by an operator/)
  assert.match((await command('schedule', 'pause', 'mornings', ...why)).err, /paused already/)
  assert.equal((await command('schedule', 'resume', 'mornings', ...why)).exitCode, exitCodes.sound)
  assert.match((await command('schedule', 'next', 'mornings', '--count', '2')).out, /Thu 26 Nov/)
  assert.match((await command('schedule', 'run', 'evenings')).err, /known are `mornings`/)
  const run = await command('schedule', 'run', 'mornings', '--json')
  assert.deepEqual(JSON.parse(run.out), [], 'everything has its report already')
})

test('a schedule that rings while the service is asleep is named, and one that never would is refused', async () => {
  const write = (cron: string) =>
    writeFileSync(
      join(folder, 'wharfinger.yaml'),
      `dropZones: [{ name: quay, address: ./dropzone }]
schedules: [{ name: sundays, cron: "${cron}", timeZone: Europe/London, missed: skip }]
lifecycle: {}
`,
    )
  write('0 9 * * *')
  const listed = await command('schedule', 'list')
  assert.equal(listed.exitCode, exitCodes.sound)
  assert.match(listed.err, /^`sundays` rings while the service is asleep, \d+ of 28 times/)
  write('0 3 * * 0')
  const { exitCode, err } = await command('work')
  assert.equal(exitCode, exitCodes.usage)
  assert.match(err, /`sundays` rings while the service is asleep, 4 of 4 times/)
})

test('a schedule that cannot be kept is refused with its line', async () => {
  writeFileSync(
    join(folder, 'wharfinger.yaml'),
    `dropZones: [{ name: quay, address: ./dropzone }]
schedules:
  - { name: odd, cron: "61 * * * *" }
  - { name: lost, cron: "0 7 * * *", timeZone: Europe/Londn }
  - { name: astray, cron: "0 7 * * *", dropZones: [kay] }
  - { name: astray }
`,
  )
  const { exitCode, err } = await command('schedule', 'list')
  assert.equal(exitCode, exitCodes.usage)
  for (const said of [
    /line 3, column \d+: schedule `odd`: `61 \* \* \* \*` is not a cron expression/,
    /there is no time zone `Europe\/Londn`/,
    /names the drop zone `kay`, which is none of quay/,
    /two schedules are called `astray`/,
    /schedule `astray` needs a `cron`/,
  ])
    assert.match(err, said)
})

test.run()
