import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { startEcsServer } from '../../fixtures/servers/ecs-autoscaling-server.ts'
import { EcsWorld } from '../../fixtures/servers/ecs-world.ts'
import { exitCodes } from './exit-code.ts'
import { runCommand } from './program.ts'

const NOW = Date.UTC(2026, 10, 21, 12)
const HOUR_MS = 3_600_000
const test = suite('lifecycle commands')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-lifecycle-'))
test.after(() => rmSync(folder, { recursive: true }))

let env: Record<string, string> = {}

async function command(...args: string[]) {
  let out = ''
  let err = ''
  const exitCode = await runCommand(args, {
    folder,
    env,
    now: () => new Date(NOW),
    out: { write: (text) => void (out += text), isTerminal: false },
    err: { write: (text) => void (err += text), isTerminal: false },
    signal: new AbortController().signal,
  })
  return { exitCode, out, err }
}

test('before anything is applied, status says so and is no success', async () => {
  const { exitCode, err } = await command('lifecycle', 'status')
  assert.equal(exitCode, exitCodes.usage)
  assert.match(err, /no schedule has been applied/)
})

test('status says what is wanted now and what changes next, without asking AWS', async () => {
  const windows = {
    resourceId: 'service/cluster/work',
    awake: [{ fromUtc: NOW + HOUR_MS, toUtc: NOW + 2 * HOUR_MS }],
    horizonUtc: NOW + 99 * HOUR_MS,
    minTasks: 1,
    maxTasks: 4,
    closure: 'hard',
  }
  mkdirSync(join(folder, 'wharfinger-state/lifecycle'), { recursive: true })
  writeFileSync(
    join(folder, 'wharfinger-state/lifecycle/windows.json'),
    JSON.stringify({ version: 1, services: [windows] }),
  )
  const { out } = await command('lifecycle', 'status')
  assert.match(out, /service\/cluster\/work should be ASLEEP: 0 to 0 tasks/)
  assert.match(out, /2026-11-21T13:00:00.000Z {2}awake\n {2}2026-11-21T14:00:00.000Z {2}asleep/)
  const [only] = JSON.parse((await command('lifecycle', 'status', '--json')).out) as {
    state: string
  }[]
  assert.equal(only?.state, 'asleep')
  assert.equal((await command('lifecycle', 'statsu')).exitCode, exitCodes.usage)
})

const YAML = `lifecycle:
  cluster: cluster
  service: work
  nights: asleep
`

test('a schedule is planned, applied, applied again without a change, and left for an hour', async () => {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  })
  const world = new EcsWorld({ nowMs: NOW, fireTimes: () => [] })
  world.addService('cluster', 'work', 0)
  world.register('service/cluster/work', { min: 0, max: 4 })
  const server = await startEcsServer(world)
  env = { WHARFINGER_AWS_ENDPOINT: server.url }
  writeFileSync(join(folder, 'wharfinger.yaml'), YAML)
  try {
    const planned = await command('lifecycle', 'plan')
    assert.equal(planned.exitCode, 2, planned.err)
    assert.match(planned.out, /^\+ /m)
    assert.match(planned.out, /Christmas/)
    const applied = await command('lifecycle', 'apply')
    assert.equal(applied.exitCode, exitCodes.sound, applied.err)
    assert.match(applied.out, /Applied and read back/)
    assert.equal((await command('lifecycle', 'plan')).exitCode, exitCodes.sound)
    assert.match((await command('lifecycle', 'apply')).out, /Nothing to do/)
    assert.match((await command('lifecycle', 'status')).out, /should be ASLEEP/)
    const wake = ['--until', '2026-11-21T18:00', '--reason', 'a transfer that cannot wait']
    const woken = await command('lifecycle', 'wake', ...wake, '--who', 'an operator')
    assert.equal(woken.exitCode, exitCodes.sound, woken.err)
    assert.match((await command('lifecycle', 'status')).out, /should be AWAKE/)
    assert.match(
      (await command('lifecycle', 'why', '2026-11-21T17:00')).out,
      /a transfer that cannot wait/,
    )
    assert.match((await command('lifecycle', 'why', '2026-11-21T19:00')).out, /ASLEEP/)
    // The action that is named is one that AWS has.
    const named = /action: {2}(lc\.\S+), cron/.exec(
      (await command('lifecycle', 'why', '2027-03-29T10:00')).out,
    )?.[1]
    assert.ok(planned.out.includes('Easter Monday'))
    assert.ok(world.target('service/cluster/work').actions.has(named ?? ''), named)
  } finally {
    env = {}
    await server.close()
  }
})

test('money saved to date is measured by what ECS told, or what is wrong with that is said', async () => {
  writeFileSync(join(folder, 'wharfinger.yaml'), YAML)
  const events = join(folder, 'events.jsonl')
  const cost = (...more: string[]) => command('lifecycle', 'cost', '--events', events, ...more)
  assert.match((await cost()).err, /events\.jsonl cannot be read/)
  writeFileSync(events, '{}')
  const nothing = await cost()
  assert.match(nothing.err, /no "ECS Task State Change" event of the service work/)
  assert.notEqual(nothing.exitCode, exitCodes.sound)
  const pullStartedAt = new Date(NOW - 10 * 3_600_000).toISOString()
  const stoppedAt = new Date(NOW - 8 * 3_600_000).toISOString()
  writeFileSync(
    events,
    JSON.stringify({
      'detail-type': 'ECS Task State Change',
      detail: { taskArn: 'a', group: 'service:work', pullStartedAt, stoppedAt },
    }),
  )
  const { saved } = JSON.parse((await cost('--json')).out) as {
    saved: { taskHours: number; savedUsd: number; paidUsd: number }
  }
  assert.equal(saved.taskHours, 2)
  assert.ok(Math.abs(saved.savedUsd / saved.paidUsd - 4) < 1e-9)
  assert.match((await cost()).out, /2\.0 task hours.*\n.*measured by the task events in/)
})

test('what a schedule cannot be is said with line and fix', async () => {
  const said = async (yaml: string, ...args: string[]) => {
    writeFileSync(join(folder, 'wharfinger.yaml'), yaml)
    const { exitCode, err } = await command('lifecycle', ...args)
    assert.ok(exitCode === exitCodes.usage || args[0] === 'plan', err)
    return err
  }
  assert.match(
    await said('lifecycle: { closedOn: england-and-whales }', 'lint'),
    /line 1, column \d+: `closedOn` has to be one of england-and-wales/,
  )
  assert.match(
    await said('lifecycle: { timeZone: Europe/Londn }', 'lint'),
    /no time zone `Europe\/Londn`/,
  )
  assert.match(
    await said(
      'lifecycle: { windows: [{ days: [MON], opens: "07:00", closes: "07:00" }] }',
      'lint',
    ),
    /is empty/,
  )
  assert.match(await said('lifecycle: { cluster: c }', 'lint'), /go together/)
  assert.match(await said('dropZones: []', 'why', '2027-01-01T10:00'), /no `lifecycle` section/)
  assert.match(await said(YAML, 'why', '2027-03-28T01:30'), /does not exist/)
  const lints = async (yaml: string) => {
    writeFileSync(join(folder, 'wharfinger.yaml'), yaml)
    return (await command('lifecycle', 'lint')).out
  }
  const window = (opens: string, closes: string, days = 'SUN') =>
    `lifecycle:\n  windows: [{ days: [${days}], opens: "${opens}", closes: "${closes}" }]\n`
  assert.match(await lints(window('01:30', '20:00')), /does not exist|happens twice/)
  assert.match(
    await lints(
      `lifecycle:\n  windows:\n    - { days: [MON], opens: "07:00", closes: "12:00" }\n    - { days: [MON], opens: "11:00", closes: "20:00" }\n`,
    ),
    /MON 07:00-12:00 and MON 11:00-20:00 overlap/,
  )
  assert.match(await lints('lifecycle: { retentionHours: 96 }'), /longest closure is 1\d\d hours/)
  const override = (from: string, to: string, state: string) =>
    `{ from: "${from}", to: "${to}", state: ${state}, reason: r, by: b }`
  assert.match(
    await lints(
      `lifecycle: { overrides: [${override('2020-01-01T10:00', '2020-01-02T10:00', 'awake')}] }`,
    ),
    /has passed/,
  )
  assert.match(
    await lints(
      `lifecycle: { overrides: [${override('2027-01-01T10:00', '2027-01-02T10:00', 'awake')}, ${override('2027-01-02T09:00', '2027-01-03T10:00', 'asleep')}] }`,
    ),
    /says awake, and another one asleep/,
  )
  assert.match(await lints(YAML), /Nothing stands in the way/)
  const template = join(folder, 'template.json')
  const planned = async (json: string) => {
    writeFileSync(template, json)
    return (await command('lifecycle', 'plan', '--template', template)).err
  }
  assert.match(await planned('Resources:'), /template\.json: it is no JSON/)
  assert.match(await planned('{}'), /no CloudFormation template/)
  const service = { Type: 'AWS::ECS::Service', Properties: { DesiredCount: 1 } }
  assert.match(
    await planned(JSON.stringify({ Resources: { Work: service } })),
    /cannot be applied:\n.*Work has a DesiredCount.*\n.*Work does not switch zone rebalancing off/,
  )
})

test('access denied and a service that is not there are sentences, not stack traces', async () => {
  const world = new EcsWorld({ nowMs: NOW, fireTimes: () => [] })
  const server = await startEcsServer(world)
  env = { WHARFINGER_AWS_ENDPOINT: server.url }
  writeFileSync(join(folder, 'wharfinger.yaml'), YAML)
  try {
    const { exitCode, err } = await command('lifecycle', 'apply')
    assert.notEqual(exitCode, exitCodes.sound)
    assert.match(err, /there is no such service/)
    assert.ok(!err.includes('at '), err)
    world.addService('cluster', 'work', 0)
    world.register('service/cluster/work', { min: 0, max: 4 })
    server.fault = () => ({ kind: 'error', name: 'AccessDeniedException' })
    for (const name of ['plan', 'apply', 'reconcile']) {
      const denied = await command('lifecycle', name)
      assert.notEqual(denied.exitCode, exitCodes.sound, name)
      assert.match(denied.err, /AWS does not allow it .*Check the role/, name)
      assert.doesNotMatch(denied.err, /\n\s+at /)
    }
  } finally {
    env = {}
    await server.close()
  }
})

test('the calendar is shown, as a week, a year or a picture, and typing mistakes are said', async () => {
  writeFileSync(join(folder, 'wharfinger.yaml'), YAML)
  assert.match((await command('lifecycle', 'calendar')).out, /Sat 21 Nov {2}·{24}\|/)
  assert.match((await command('lifecycle', 'calendar', '--year', '2027')).out, /^Dec {2}/m)
  assert.match(
    (await command('lifecycle', 'calendar', '--week', '2026-12-25', '--svg')).out,
    /^<svg .*Christmas Day/,
  )
  for (const wrong of [
    ['--week', 'tomorrow'],
    ['--year', 'next'],
  ])
    assert.equal((await command('lifecycle', 'calendar', ...wrong)).exitCode, exitCodes.usage)
})

test('a year is simulated side by side, and loses nothing', async () => {
  writeFileSync(join(folder, 'wharfinger.yaml'), YAML)
  writeFileSync(
    join(folder, 'trace.json'),
    JSON.stringify([{ at: '2027-01-02T12:00:00Z', minutes: 30 }]),
  )
  const arrivals = ['--arrivals', 'trace.json']
  const { exitCode, out } = await command(
    'lifecycle',
    'simulate',
    '--year',
    '2027',
    '--json',
    ...arrivals,
  )
  assert.equal(exitCode, exitCodes.sound)
  const { policies } = JSON.parse(out) as {
    policies: { name: string; lost: number; waitMinutes: { max: number } }[]
  }
  assert.deepEqual(
    policies.map(({ name, lost }) => [name, lost]),
    [
      ['always on', 0],
      ['closed days asleep', 0],
      ['nights as well (as configured)', 0],
      ['nights, soft closure', 0],
    ],
  )
  assert.ok((policies[2]?.waitMinutes.max ?? 0) > 40 * 60, 'from Saturday to Monday')
  writeFileSync(join(folder, 'trace.json'), '[{"at": "Monday"}]')
  const refused = await command('lifecycle', 'simulate', ...arrivals)
  assert.match(refused.err, /is no trace of uploads: upload 1/)
})

test.run()
