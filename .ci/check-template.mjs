// Synthesises the template with everything on that unit tests leave off for speed: CDK's own
// validator, cdk-nag inside the app, and cfn-lint where the machine has it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// cfn-lint 1.51 does not know yet that scaling targets, listeners and dashboards take tags.
const KNOWN_WRONG = ['E3002:Tags']
const scratch = mkdtempSync(join(tmpdir(), 'wharfinger-template-'))
let failed = 0

const { fullSettings, smallSettings } = await import('../dist/infra/sample-deployment.js')
for (const [name, settings] of Object.entries({
  everything: fullSettings,
  engine: smallSettings,
})) {
  const out = join(scratch, name)
  const synth = spawnSync(process.execPath, ['dist/infra/app.js'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      CDK_OUTDIR: out,
      CDK_CONTEXT_JSON: JSON.stringify({ wharfinger: settings }),
    },
  })
  if (synth.status !== 0) {
    console.log(`${name}: not synthesised`)
    failed++
    continue
  }
  failed += lint(
    name,
    join(
      out,
      readdirSync(out).find((file) => file.endsWith('.template.json')),
    ),
  )
}
rmSync(scratch, { recursive: true, force: true })
process.exitCode = failed === 0 ? 0 : 1

function lint(name, template) {
  const linted = spawnSync(
    'cfn-lint',
    ['--format', 'json', '--non-zero-exit-code', 'none', template],
    {
      encoding: 'utf8',
    },
  )
  if (linted.error !== undefined) {
    console.log(`SKIPPED cfn-lint of ${name}: it is not on this machine`)
    return 0
  }
  const errors = JSON.parse(linted.stdout || '[]').filter(
    ({ Level, Rule, Message }) =>
      Level === 'Error' &&
      !KNOWN_WRONG.some((known) => known === `${Rule.Id}:${/\('(\w+)'/.exec(Message)?.[1]}`),
  )
  for (const { Rule, Message, Location } of errors)
    console.log(`${name}: ${Rule.Id} ${Message} (${Location.Path?.join('/')})`)
  return errors.length
}
