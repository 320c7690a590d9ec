// Compiles the tree to dist/, tests included: what is tested is what ships.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
const built = spawnSync('npx', ['tsc', '-p', 'tsconfig.json'], { stdio: 'inherit' })
process.exit(built.status ?? 1)
