import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { startS3Server } from '../../fixtures/servers/s3-server.ts'
import { packageRoot } from '../package-root.ts'
import { exitCodes } from './exit-code.ts'
import { runCommand } from './program.ts'

const test = suite('onboarding an integrator')
const folder = mkdtempSync(join(tmpdir(), 'wharfinger-onboarding-'))
test.after(() => rmSync(folder, { recursive: true }))

async function wharfinger(...args: string[]) {
  let out = ''
  let err = ''
  const exitCode = await runCommand(args, {
    folder,
    env: {},
    now: () => new Date(),
    out: { write: (text) => void (out += text), isTerminal: false },
    err: { write: (text) => void (err += text), isTerminal: false },
    signal: new AbortController().signal,
  })
  return { exitCode, out, err }
}

test('the how-to, command by command, ends with a report and a corrected one', async () => {
  const text = readFileSync(join(packageRoot(), 'docs/howto/onboard-an-integrator.md'), 'utf8')
  const blocks = [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)]
  const yaml = blocks.find(([, kind]) => kind === 'yaml')?.[2] ?? ''
  writeFileSync(join(folder, 'wharfinger.yaml'), yaml)
  mkdirSync(join(folder, 'harbour-records/Minutes'), { recursive: true })
  writeFileSync(join(folder, 'harbour-records/Minutes/one.txt'), 'first')
  const commands = blocks
    .filter(([, kind]) => kind === 'sh')
    .flatMap(([, , lines = '']) => lines.trim().split('\n'))
  assert.equal(commands.length, 6)
  const said: string[] = []
  for (const command of commands) {
    if (command.endsWith('--correct'))
      writeFileSync(join(folder, 'harbour-records/Minutes/one.txt'), 'second')
    const [, ...args] = command.split(' ')
    const { exitCode, out, err } = await wharfinger(...args)
    assert.equal(exitCode, exitCodes.sound, `${command}: ${err}`)
    said.push(out)
  }
  assert.match(said[0] ?? '', /harbour lands in .*inbox\/harbour\/\nTest upload: written/)
  assert.match(said[3] ?? '', /READY/)
  assert.match(said[5] ?? '', /\(attempt 2\).*READY/)
})

test('for a bucket it says which role, and a second time that all is there', async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' })
  const server = await startS3Server()
  try {
    server.makeBucket('zone')
    writeFileSync(
      join(folder, 'wharfinger.yaml'),
      `s3: { endpoint: '${server.endpoint}', region: eu-west-2, forcePathStyle: true }
dropZones: [{ name: transfers, address: 's3://zone/transfers' }]`,
    )
    const first = await wharfinger('integrator', 'add', 'mill', '--role', '444455556666')
    assert.match(
      first.out,
      /"integrators": \[\{"name":"mill","zone":"transfers","assumedBy":"444455556666"\}\]/,
    )
    assert.match((await wharfinger('integrator', 'add', 'mill')).out, /Test upload: there already/)
    const wrong = await wharfinger('integrator', 'add', '../mill')
    assert.match(wrong.err, /cannot be the name of a folder/)
  } finally {
    await server.close()
  }
})

test.run()
