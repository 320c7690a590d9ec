import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { suite } from 'uvu'
import { packageRoot } from './package-root.ts'

const test = suite('import rule')
const root = packageRoot()

/** What each part may import of the others, besides itself. ARCHITECTURE.md says why. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'engine/model': [],
  'engine/flow': ['engine/model'],
  'engine/report': ['engine/model'],
  'engine/sources': ['engine/model', 'engine/metadata'],
  'engine/metadata': ['engine/model'],
  'engine/adapters': ['engine/model', 'engine/pool/messages.ts'],
  'engine/scratch': ['engine/model'],
  jobs: ['engine/model'],
  'engine/pool': ['engine/model', 'engine/adapters', 'engine/sources', 'engine/metadata', 'jobs'],
  'engine/run': [
    'engine/model',
    'engine/flow',
    'engine/report',
    'engine/sources',
    'engine/metadata',
    'engine/adapters',
    'engine/scratch',
    'engine/pool',
    'engine/config.ts',
    'engine/version.ts',
    'jobs',
    'lifecycle',
  ],
  'engine/schedule': [
    'engine/model',
    'engine/adapters',
    'engine/run',
    'engine/config-fields.ts',
    'lifecycle',
  ],
  'engine/work': [
    'engine/model',
    'engine/adapters',
    'engine/run',
    'engine/schedule',
    'engine/queue-config.ts',
    'lifecycle',
  ],
  'engine/service': [
    'engine/model',
    'engine/flow',
    'engine/metadata',
    'engine/sources',
    'engine/report',
    'engine/adapters',
    'engine/run',
    'engine/config.ts',
    'engine/service-config.ts',
  ],
  'engine/api': [
    'engine/model',
    'engine/adapters',
    'engine/run',
    'engine/service',
    'engine/service-config.ts',
    'engine/version.ts',
  ],
  'engine/push': ['engine/model', 'engine/adapters', 'engine/pool/messages.ts'],
  lifecycle: ['engine/config-fields.ts'],
}

function sourceFiles(folder: string): string[] {
  return (readdirSync(join(root, folder), { recursive: true }) as string[])
    .filter((name) => name.endsWith('.ts') && !/\.(?:test|contract)\.ts$/.test(name))
    .map((name) => join(folder, name))
}

/** What `file` imports of the project, types included, as paths from the root. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path = '']) =>
    relative(root, resolve(root, dirname(file), path)),
  )
}

test('nothing downstream is imported upstream', () => {
  for (const [part, others] of Object.entries(allowed)) {
    for (const file of sourceFiles(part)) {
      for (const target of importsOf(file)) {
        const fine = [part, ...others].some((one) => target === one || target.startsWith(`${one}/`))
        assert.ok(
          fine,
          `${file} imports ${target}: ${part} may import ${others.join(', ') || 'nothing'} only`,
        )
      }
    }
  }
})

test('no file imports itself by way of others', () => {
  const done = new Set<string>()
  const visit = (file: string, way: readonly string[]): void => {
    assert.ok(!way.includes(file), `a circle: ${[...way, file].join(' -> ')}`)
    if (done.has(file)) return
    for (const target of importsOf(file)) if (target.endsWith('.ts')) visit(target, [...way, file])
    done.add(file)
  }
  for (const part of ['engine', 'jobs', 'lifecycle', 'infra'])
    for (const file of sourceFiles(part)) visit(file, [])
})

test('the pure middle touches no file system, clock or environment', () => {
  for (const part of ['engine/model', 'engine/flow', 'engine/report']) {
    for (const file of sourceFiles(part)) {
      const text = readFileSync(join(root, file), 'utf8')
      assert.doesNotMatch(text, /from 'node:(?!crypto)/, file)
      assert.doesNotMatch(text, /Date\.now|new Date\(\)|process\.[a-z]|@aws-sdk/, file)
    }
  }
})

test('the environment is read in one place', () => {
  for (const file of sourceFiles('engine')) {
    if (file === join('engine', 'main.ts')) continue
    assert.doesNotMatch(readFileSync(join(root, file), 'utf8'), /process\.env/, file)
  }
})

test.run()
