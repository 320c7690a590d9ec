import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { suite } from 'uvu'
import { packageRoot } from '../package-root.ts'

const test = suite('SIGTERM under load')

const STOP_SECONDS = 10
const CALLERS = 40

type Answer =
  { readonly status: number; readonly retryAfter: string | undefined } | { readonly cut: string }

/** On a connection that is kept where `agent` is given, on a new one where it is not. */
function get(url: string, token: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve) => {
    request(
      url,
      { headers: { authorization: `Bearer ${token}` }, ...(agent === undefined ? {} : { agent }) },
      (answer) => {
        answer.resume()
        answer.once('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            retryAfter: answer.headers['retry-after'],
          }),
        )
        answer.once('error', (error) => resolve({ cut: error.message }))
      },
    )
      .once('error', (error: NodeJS.ErrnoException) => resolve({ cut: error.code ?? '' }))
      .end()
  })
}

test('what has begun is finished, what is new gets 503 with Retry-After, and it ends with 0 in time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-stop-'))
  mkdirSync(join(folder, 'dropzone'))
  writeFileSync(
    join(folder, 'wharfinger.yaml'),
    `dropZones: [{ name: d, address: ./dropzone }]\nservice: { port: 0, requestsPerMinute: 1000000, stopSeconds: ${STOP_SECONDS}, lingerSeconds: 1 }\n`,
  )
  const main = join(packageRoot(), 'dist', 'engine', 'main.js')
  const child = spawn(process.execPath, [main, 'serve'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  try {
    let url = ''
    let token = ''
    for await (const line of createInterface(child.stdout)) {
      url = /^Serving at (\S+)/.exec(line)?.[1] ?? url
      token = /^Token.*: (\S+)$/.exec(line)?.[1] ?? ''
      if (token !== '') break
    }
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const post = async (path: string, body?: unknown) =>
      (await (
        await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body ?? {}) })
      ).json()) as { transferId: string; url: string }
    const { transferId } = await post('/load/sharepoint/initiate')
    const offer = await post(`/transfers/sharepoint/${transferId}/uploads`, {
      key: 'records/a',
      sizeBytes: 6,
    })
    const upload = request(offer.url, { method: 'PUT', headers: { 'content-length': '6' } })
    const uploaded = new Promise<number>((resolve, reject) => {
      upload.once('response', (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
      upload.once('error', reject)
    })
    upload.write('hel')

    let stopping = false
    let answered = 0
    const late: Answer[] = []
    const early: Answer[] = []
    const agent = new Agent({ keepAlive: true })
    const seen = new EventEmitter()
    const [enough, refusedOnce] = [once(seen, 'enough'), once(seen, 'refused')]
    const callers = Array.from({ length: CALLERS }, async (_, i) => {
      for (;;) {
        const begunAfter = stopping
        const answer = await get(`${url}/transfers`, token, i % 2 === 0 ? agent : undefined)
        ;(begunAfter ? late : early).push(answer)
        if (++answered === 500) seen.emit('enough')
        if ('status' in answer && answer.status === 503) seen.emit('refused')
        if ('cut' in answer) return
      }
    })
    await enough
    child.kill('SIGTERM')
    const told = performance.now()
    await refusedOnce
    stopping = true
    upload.end('lo!')
    assert.equal(await uploaded, 201, 'an upload in the middle of its body arrives')
    const [code, signal] = (await ended) as [number | null, string | null]
    assert.deepEqual([code, signal], [0, null])
    assert.ok(performance.now() - told < STOP_SECONDS * 1000)
    await Promise.all(callers)
    agent.destroy()
    // Nobody whom it was answering is cut off; later ones may meet the moment when it goes.
    assert.deepEqual(
      early.filter((answer) => !('status' in answer && [200, 503].includes(answer.status))),
      [],
    )
    const refused = late.flatMap((answer) => ('status' in answer ? [answer] : []))
    assert.ok(refused.length > 0)
    for (const answer of refused) {
      assert.equal(answer.status, 503)
      assert.ok(Number(answer.retryAfter) > 0)
    }
  } finally {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
})

test.run()
