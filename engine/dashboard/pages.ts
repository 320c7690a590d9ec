import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import nunjucks from 'nunjucks'
import { stepWords } from './progress.ts'
import { bytesWords, dollarWords, numberWords, spanWords, tagColours, whenIn } from './words.ts'

const govuk = dirname(createRequire(import.meta.url).resolve('govuk-frontend/package.json'))

/** Renders a page of `templates/` with everything escaped that is not markup of ours. */
export function createPages(timeZone: string): (page: string, about: object) => string {
  const environment = new nunjucks.Environment(
    new nunjucks.FileSystemLoader([
      fileURLToPath(new URL('./templates', import.meta.url)),
      join(govuk, 'dist'),
    ]),
    { autoescape: true, throwOnUndefined: false, trimBlocks: true, lstripBlocks: true },
  )
  environment.addFilter('when', (instant: Date | number | string) => whenIn(timeZone, instant))
  environment.addFilter('bytes', bytesWords)
  environment.addFilter('number', numberWords)
  environment.addFilter('span', spanWords)
  environment.addFilter('dollars', dollarWords)
  environment.addFilter('stepWords', stepWords)
  environment.addFilter('colour', (name: string) => tagColours[name] ?? 'grey')
  environment.addGlobal('timeZone', timeZone)
  return (page, about) => environment.render(`${page}.njk`, about)
}
