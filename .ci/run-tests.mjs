// The test runner: one child process a file, two at a time, a time limit each, failure on a file
// that ran no test. Usage: node .ci/run-tests.mjs [part of a path ...]
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const PARALLEL = 2
const LIMIT_SECONDS = 120

const wanted = process.argv.slice(2)
const files = testFiles('dist').filter(
  (file) => wanted.length === 0 || wanted.some((part) => file.includes(part)),
)
const totals = { passed: 0, failed: 0, skipped: 0 }
const failures = []

await Promise.all(
  Array.from({ length: PARALLEL }, async () => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) await runFile(file)
  }),
)

for (const failure of failures) console.log(failure)
console.log(`${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1

function testFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(folder, name))
    .sort()
}

async function runFile(file) {
  const started = performance.now()
  const { output, exitCode, timedOut } = await runChild(file)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const total = Number(/Total:\s+(\d+)/.exec(output)?.[1] ?? 0)
  const passed = Number(/Passed:\s+(\d+)/.exec(output)?.[1] ?? 0)
  const problem = timedOut
    ? `no end after ${LIMIT_SECONDS} s`
    : total === 0
      ? 'ran no test'
      : exitCode !== 0 && passed === total
        ? `exit code ${exitCode}`
        : undefined
  const failed = total - passed + (problem === undefined ? 0 : 1)
  totals.passed += passed
  totals.failed += failed
  for (const line of output.split('\n')) if (line.startsWith('SKIPPED')) console.log(`  ${line}`)
  console.log(`${failed === 0 ? 'ok  ' : 'FAIL'} ${file} (${passed} in ${seconds} s)`)
  if (failed > 0) failures.push(`--- ${file}: ${problem ?? `${failed} failed`}\n${output}`)
}

function runChild(file) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--enable-source-maps', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        FORCE_COLOR: '0',
        NO_COLOR: '1',
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      },
    })
    let output = ''
    let timedOut = false
    child.stdout.on('data', (bytes) => (output += bytes))
    child.stderr.on('data', (bytes) => (output += bytes))
    const limit = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, LIMIT_SECONDS * 1000)
    child.on('close', (exitCode) => {
      clearTimeout(limit)
      resolve({ output, exitCode, timedOut })
    })
  })
}
