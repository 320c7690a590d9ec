import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'
import { suite } from 'uvu'
import { landSample } from '../../fixtures/consignments.ts'
import { makeLab } from '../../fixtures/lab.ts'

const CHROMIUM = '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const test = suite('report in a browser')

if (!existsSync(CHROMIUM)) {
  test('is skipped where there is no Chromium', () =>
    console.log(`SKIPPED the report in a browser: there is no ${CHROMIUM}`))
} else {
  test('axe finds nothing, nothing runs off a narrow screen, and nothing is fetched', async () => {
    const lab = makeLab()
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
    try {
      const context = await browser.newContext()
      for (const name of ['missing-and-unexpected', 'odd-names', 'changed-while-processed']) {
        const delivered = await lab.deliver(landSample(name, lab.dropZone, lab.zone.name))
        const page = await context.newPage()
        const fetched: string[] = []
        page.on('request', (request) => fetched.push(request.url()))
        await page.setContent(await lab.report(delivered, 'report.html'))
        const { violations } = await new AxeBuilder({ page })
          .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'])
          .analyze()
        assert.deepEqual(
          violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`),
          [],
          name,
        )
        await page.setViewportSize({ width: 320, height: 800 })
        const width = await page.evaluate('document.documentElement.scrollWidth')
        assert.ok(Number(width) <= 320, `${name}: ${String(width)} px wide on a screen of 320`)
        assert.deepEqual(
          fetched.filter((url) => !url.startsWith('about:')),
          [],
        )
        await page.close()
      }
    } finally {
      await browser.close()
      await lab.close()
    }
  })
}

test.run()
