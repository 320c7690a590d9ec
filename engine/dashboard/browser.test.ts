import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Page } from 'playwright-core'
import { suite } from 'uvu'
import { noBrowser, openBrowser, overflowAt320, violationsOn } from '../../fixtures/browser.ts'
import { packageRoot } from '../package-root.ts'

const test = suite('the dashboard in a browser')
const MAIN = join(packageRoot(), 'dist/engine/main.js')
/** Enough chunks that progress can be watched. */
const FILES = 300
const MARKUP = '<b onmouseover=alert(1)>bold & sly.txt'

if (noBrowser !== undefined)
  test('is skipped where there is no Chromium', () =>
    console.log(`SKIPPED the dashboard in a browser: ${noBrowser}`))
else
  test('pushed, watched, read, corrected, compared, decided; a schedule paused; axe on every page', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wharfinger-browser-'))
    const put = (path: string, content: string) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
    put(
      'wharfinger.yaml',
      `dropZones: [{ name: inbox, address: ./inbox, transferringBody: Harbour Office, series: HO 12 }]
threads: 1
chunk: { maxFiles: 2 }
service: { port: 0 }
schedules: [{ name: yearly, cron: "0 7 1 1 *", timeZone: Europe/London }]
lifecycle: { standing: { load-balancer: 1, key: 3 } }
`,
    )
    for (let i = 0; i < FILES; i++) put(`moved/records/Letters/letter ${i}.txt`, `letter ${i}`)
    put(`moved/records/${MARKUP}`, 'markup')
    put('moved/metadata/manifest.txt', `${'0'.repeat(64)}  Letters/letter 7.txt\n`)

    const service = spawn(process.execPath, [MAIN, 'start'], { cwd: folder })
    const browser = await openBrowser()
    try {
      const { url, token } = await listening(service.stdout)
      const page = await (await browser.newContext()).newPage()
      const problems: string[] = []
      page.on('pageerror', (error) => problems.push(error.message))
      const look = async (path: string): Promise<void> => {
        await page.goto(url + path)
        assert.deepEqual(await violationsOn(page), [], path)
        assert.equal(await overflowAt320(page), 0, `${path} is too wide for 320 px`)
      }
      const push = (...more: string[]) =>
        wharfinger(folder, 'push', 'moved', '--to', url, '--token', token, ...more)

      // Nobody signed in: asked to, and empty pages say what to do next.
      await page.goto(url)
      assert.match(page.url(), /\/sign-in$/)
      assert.deepEqual(await violationsOn(page), [])
      await page.goto(`${url}/sign-in?token=${token}`)
      for (const path of PAGES) await look(path)
      assert.match((await page.textContent('main')) ?? '', /\w/)

      // Landed, then taken by the button, then watched without a reload.
      const { reference } = JSON.parse(await push('--json')) as { reference: string }
      await awaited(async () => {
        await page.goto(`${url}/`)
        const text = (await page.textContent('main')) ?? ''
        return text.includes('1 transfer has landed and is not taken') || undefined
      })
      await look('/')
      await runSchedule(page, url)
      await awaited(async () => {
        const answer = await page.goto(`${url}/pages/consignments/${reference}`)
        return answer?.status() === 200 || undefined
      })
      // Kept by the browser, because the page reloads itself when the report is there.
      await page.evaluate(`{
        const list = document.querySelector('.app-steps')
        const note = () => sessionStorage.seen = (sessionStorage.seen ?? '') + '|' + list.textContent
        new MutationObserver(note).observe(list, { childList: true })
      }`)
      await page.waitForSelector('h1 .govuk-tag')
      const seen = String(await page.evaluate('sessionStorage.seen'))
      assert.match(seen, /\d+ of \d+/, 'progress in numbers, without a reload')
      await look(`/pages/consignments/${reference}`)
      assert.match((await page.textContent('h1')) ?? '', /NEEDS SENDER/)

      // Read as an archivist does, and the sender's markup is text.
      await page.getByRole('link', { name: 'report.html' }).click()
      await page.waitForURL(/report\.html$/)
      const report = (await page.textContent('body')) ?? ''
      assert.match(report, /Letters\/letter 7\.txt/)
      assert.equal(await page.locator('b[onmouseover]').count(), 0)
      // Its policy lets no script run, axe's neither: html.browser.test.ts looks at it without.

      // Put right, sent again as a correction, and compared side by side.
      rmSync(join(folder, 'moved/metadata/manifest.txt'))
      put('moved/metadata/manifest.txt', '')
      await push('--correct')
      await runSchedule(page, url)
      await awaited(async () => {
        await page.goto(`${url}/pages/consignments/${reference}`)
        return (
          (await page.getByRole('columnheader', { name: 'Attempt 2' }).count()) > 0 || undefined
        )
      })
      await look(`/pages/consignments/${reference}`)

      // Decided with a reason, without a script, and only once.
      const plain = await browser.newContext({ javaScriptEnabled: false })
      const still = await plain.newPage()
      await still.goto(`${url}/sign-in?token=${token}`)
      await still.goto(`${url}/pages/consignments/${reference}`)
      await still.getByLabel('Return it to its sender').check()
      await still.getByLabel('Why').fill('The letters of March are missing.')
      await still.getByRole('button', { name: 'Record the decision' }).click()
      assert.match((await still.textContent('main')) ?? '', /The letters of March are missing/)
      assert.equal(await still.getByLabel('Why').count(), 0)
      await plain.close()

      // A schedule is paused with a reason, and resumed.
      await page.goto(`${url}/pages/schedules`)
      await page.getByLabel('Why').fill('maintenance')
      await page.getByRole('button', { name: 'Pause yearly' }).click()
      assert.match((await page.textContent('main')) ?? '', /paused by laptop, maintenance/)
      for (const path of ['/', '/pages/consignments', '/pages/schedules', '/pages/audit'])
        await look(path)
      assert.match((await page.textContent('main')) ?? '', /maintenance/, 'the audit log')
      assert.deepEqual(problems, [], 'no script failed')
    } finally {
      await browser.close()
      service.kill('SIGTERM')
      await new Promise((resolve) => service.once('close', resolve))
      rmSync(folder, { recursive: true })
    }
  })

const PAGES = [
  '/',
  '/pages/consignments',
  '/pages/consignments?state=decided&series=none',
  '/pages/transfers',
  '/pages/schedules',
  '/pages/consignments/WHF-1999-X',
  '/docs',
  '/pages/audit',
]

async function runSchedule(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/pages/schedules`)
  await page.getByLabel('Why').fill('now, please')
  await page.getByRole('button', { name: 'Run yearly now' }).click()
  await page.waitForURL(/done=run/)
}

function listening(out: NodeJS.ReadableStream): Promise<{ url: string; token: string }> {
  return new Promise((resolve) => {
    let said = ''
    out.on('data', (bytes: Buffer) => {
      said += bytes.toString()
      const found = /Dashboard: (http:\/\/[^/]+)\/sign-in\?token=(\S+)/.exec(said)
      if (found !== null) resolve({ url: found[1] ?? '', token: found[2] ?? '' })
    })
  })
}

async function wharfinger(folder: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, stdio: 'pipe' })
  let err = ''
  let out = ''
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(code, 0, err)
  return out
}

/** Looks until there is something to return; the runner's time limit ends what never comes. */
async function awaited<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test.run()
