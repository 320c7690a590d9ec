import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import { parseDockerfile } from './dockerfile.ts'
import { packageFolder } from './package-folder.ts'
import { HEALTH_CHECK, PORT } from './service.ts'

const root = packageFolder()
const stages = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))
const last = stages.at(-1)
const of = (name: string) =>
  last?.instructions.filter((one) => one.name === name).map(({ argument }) => argument) ?? []

const test = suite('the image')

test('it is built in stages, on one exact slim Node 24', () => {
  assert.ok(stages.length >= 2)
  for (const { image } of stages) assert.match(image, /^node:24\.\d+\.\d+-\w+-slim$/)
  assert.equal(new Set(stages.map(({ image }) => image)).size, 1)
})

test('no package runs a script of its own while it is installed, and no development tool reaches the image', () => {
  for (const { instructions } of stages)
    for (const { name, argument } of instructions)
      if (name === 'RUN' && argument.includes('npm'))
        assert.match(argument, /^npm ci .*--ignore-scripts/)
  assert.ok(of('RUN').includes('npm ci --omit=dev --ignore-scripts'))
})

test('it runs as a user without privileges, decided after the last step that needs them', () => {
  const names = last?.instructions.map(({ name }) => name) ?? []
  assert.deepEqual(of('USER'), ['node'])
  assert.ok(names.indexOf('USER') > names.lastIndexOf('RUN'))
})

test('Node is process 1, so that SIGTERM reaches the engine', () => {
  const [entry = ''] = of('ENTRYPOINT')
  const [command, ...rest] = JSON.parse(entry) as string[]
  assert.equal(command, 'node')
  assert.equal(rest.at(-1), 'dist/engine/main.js')
  assert.ok(of('CMD').every((argument) => Array.isArray(JSON.parse(argument))))
})

test('it says how to see whether it is well, as the ECS service does', () => {
  const [check = ''] = of('HEALTHCHECK')
  const command = JSON.parse(check.slice(check.indexOf('['))) as string[]
  assert.deepEqual(command, ['node', '-e', HEALTH_CHECK])
  assert.deepEqual(of('EXPOSE'), [String(PORT)])
})

test('what is to be written goes to the scratch volume, which belongs to that user', () => {
  assert.deepEqual(of('VOLUME'), ['["/scratch"]'])
  assert.ok(
    of('RUN').some((argument) => /mkdir \/scratch && chown node:node \/scratch/.test(argument)),
  )
  assert.ok(of('ENV').includes('TMPDIR=/scratch'))
})

test('each file it copies is there, and .dockerignore lets it through', () => {
  const allowed = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
  for (const { instructions } of stages)
    for (const { name, argument } of instructions) {
      if (name !== 'COPY' || argument.startsWith('--from')) continue
      for (const source of argument.split(/\s+/).slice(0, -1)) {
        assert.ok(existsSync(join(root, source)), source)
        assert.ok(
          allowed.some(
            (line) => source === line.slice(1) || source.startsWith(`${line.slice(1)}/`),
          ),
          source,
        )
      }
    }
})

test('no secret is baked in', () => {
  for (const { instructions } of stages)
    for (const { name, argument } of instructions)
      if (name === 'ENV' || name === 'ARG')
        assert.doesNotMatch(argument, /secret|token|password|key/i)
})

test.run()
