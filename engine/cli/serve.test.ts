import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import type { ApiParts } from '../api/parts.ts'
import { exitCodes } from './exit-code.ts'
import { runCommand } from './program.ts'
import { runService } from './serve.ts'
import { loadConfig, type Surroundings } from './surroundings.ts'

const test = suite('wharfinger serve')

type Running = {
  readonly url: string
  readonly token: string
  readonly parts: ApiParts
  readonly out: () => string
  readonly stop: () => void
  readonly ended: Promise<void>
}

/** `port: 0`, because another test may listen on any other. */
function makeFolder(service: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-serve-'))
  mkdirSync(join(folder, 'dropzone'))
  writeFileSync(
    join(folder, 'wharfinger.yaml'),
    `dropZones: [{ name: d, address: ./dropzone }]\nservice: { port: 0${service} }\n`,
  )
  return folder
}

function surroundingsIn(
  folder: string,
  signal: AbortSignal,
): Surroundings & { said: () => string } {
  let text = ''
  const stream = { write: (more: string) => void (text += more), isTerminal: false }
  return {
    folder,
    env: {},
    now: () => new Date('2026-11-24T09:00:00.000Z'),
    out: stream,
    err: stream,
    signal,
    said: () => text,
  }
}

async function start(folder: string): Promise<Running> {
  const stop = new AbortController()
  const surroundings = surroundingsIn(folder, stop.signal)
  const config = await loadConfig(surroundings, undefined)
  return new Promise((resolve, reject) => {
    const ended = runService(surroundings, config, {
      onListening: ({ url, token = '', parts }) =>
        resolve({ url, token, parts, out: surroundings.said, stop: () => stop.abort(), ended }),
    })
    ended.catch(reject)
  })
}

test('on a laptop a printed token opens it, and nothing else does', async () => {
  const folder = makeFolder('')
  const running = await start(folder)
  try {
    const ask = async (token: string) =>
      (await fetch(`${running.url}/service`, { headers: { authorization: `Bearer ${token}` } }))
        .status
    assert.match(running.out(), /Serving at http:\/\/127\.0\.0\.1:\d+/)
    assert.ok(running.out().includes(running.token) && running.token.length >= 32)
    assert.equal(await ask(running.token), 200)
    assert.equal(await ask('guess'), 401)
    assert.equal((await fetch(`${running.url}/service`)).status, 401)
  } finally {
    running.stop()
    await running.ended
    rmSync(folder, { recursive: true, force: true })
  }
})

test('told to stop, it finishes what has begun, refuses what is new and ends', async () => {
  const folder = makeFolder(', lingerSeconds: 1')
  const running = await start(folder)
  try {
    const authorization = `Bearer ${running.token}`
    const json = { authorization, 'content-type': 'application/json' }
    const begun = (await (
      await fetch(`${running.url}/load/sharepoint/initiate`, {
        method: 'POST',
        headers: { authorization },
      })
    ).json()) as { transferId: string }
    const offer = (await (
      await fetch(`${running.url}/transfers/sharepoint/${begun.transferId}/uploads`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ key: 'records/a', sizeBytes: 6 }),
      })
    ).json()) as { url: string }
    const events = await fetch(`${running.url}/transfers/sharepoint/${begun.transferId}/events`, {
      headers: { authorization },
    })
    const upload = httpRequest(offer.url, { method: 'PUT', headers: { 'content-length': '6' } })
    const uploaded = new Promise<number>((resolve, reject) => {
      upload.on('response', (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
      upload.on('error', reject)
    })
    upload.write('hel')
    // Two requests are in flight: the upload and the events.
    while (running.parts.draining.inFlight < 2) await new Promise((done) => setImmediate(done))
    running.stop()
    assert.equal((await fetch(`${running.url}/readyz`)).status, 503)
    const refused = await fetch(`${running.url}/service`, { headers: { authorization } })
    assert.equal(refused.status, 503)
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.equal((await fetch(`${running.url}/healthz`)).status, 200)
    upload.end('lo!')
    assert.equal(await uploaded, 201)
    assert.match(await events.text(), /event: status/)
    await running.ended
    await assert.rejects(fetch(`${running.url}/healthz`))
  } finally {
    running.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('it does not start without a drop zone, nor for others without knowing them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-serve-'))
  try {
    const signal = new AbortController().signal
    const nothing = surroundingsIn(folder, signal)
    assert.equal(await runCommand(['serve'], nothing), exitCodes.usage)
    assert.match(nothing.said(), /needs `dropZones`/)
    writeFileSync(join(folder, 'wharfinger.yaml'), 'service: { host: 0.0.0.0 }\n')
    const open = surroundingsIn(folder, signal)
    assert.equal(await runCommand(['serve'], open), exitCodes.usage)
    assert.match(open.said(), /without `oidc`/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('the audit log can be taken away on the command line', async () => {
  const folder = makeFolder('')
  try {
    const surroundings = surroundingsIn(folder, new AbortController().signal)
    assert.equal(await runCommand(['audit', '--csv'], surroundings), exitCodes.sound)
    assert.match(surroundings.said(), /when,who,role,what/)
    assert.equal(await runCommand(['audit', '--from', 'monday'], surroundings), exitCodes.usage)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test.run()
