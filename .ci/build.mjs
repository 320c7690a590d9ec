// Compiles the tree to dist/, tests included: what is tested is what ships. Beside it what the
// compiler does not copy: the dashboard's pages, and its style sheet made from govuk-frontend's.
import { spawnSync } from 'node:child_process'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { compile } from 'sass'

rmSync('dist', { recursive: true, force: true })
const built = spawnSync('npx', ['tsc', '-p', 'tsconfig.json'], { stdio: 'inherit' })
if (built.status !== 0) process.exit(built.status ?? 1)

const from = 'engine/dashboard'
for (const name of ['templates', 'live.js', 'icon.svg'])
  cpSync(`${from}/${name}`, `dist/${from}/${name}`, { recursive: true })
const { css } = compile(`${from}/dashboard.scss`, {
  loadPaths: ['node_modules'],
  style: 'compressed',
  quietDeps: true,
  silenceDeprecations: ['import', 'global-builtin', 'color-functions'],
})
writeFileSync(`dist/${from}/dashboard.css`, css)
