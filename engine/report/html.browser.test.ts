import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { noBrowser, openBrowser, overflowAt320, violationsOn } from '../../fixtures/browser.ts'
import { landSample } from '../../fixtures/consignments.ts'
import { makeLab } from '../../fixtures/lab.ts'

const test = suite('report in a browser')

if (noBrowser !== undefined) {
  test('is skipped where there is no Chromium', () =>
    console.log(`SKIPPED the report in a browser: ${noBrowser}`))
} else {
  test('axe finds nothing, nothing runs off a narrow screen, and nothing is fetched', async () => {
    const lab = makeLab()
    const browser = await openBrowser()
    try {
      const context = await browser.newContext()
      for (const name of ['missing-and-unexpected', 'odd-names', 'changed-while-processed']) {
        const delivered = await lab.deliver(landSample(name, lab.dropZone, lab.zone.name))
        const page = await context.newPage()
        const fetched: string[] = []
        page.on('request', (request) => fetched.push(request.url()))
        await page.setContent(await lab.report(delivered, 'report.html'))
        assert.deepEqual(await violationsOn(page), [], name)
        assert.equal(await overflowAt320(page), 0, name)
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
