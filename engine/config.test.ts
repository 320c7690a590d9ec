import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import { packageRoot } from './package-root.ts'
import { ConfigError, readConfig, type Deployment } from './config.ts'

const test = suite('configuration')

const surroundings = { folder: '/srv/archive', threads: 3, scratch: '/srv/scratch' }

function problemsOf(yaml: string, deployment?: Deployment): readonly string[] {
  try {
    readConfig(yaml, { ...surroundings, ...(deployment === undefined ? {} : { deployment }) })
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
}

test('no file at all is a configuration: folders beside it, the marker alone completes', () => {
  const config = readConfig('', surroundings)
  assert.deepEqual(config.state, { kind: 'folder', path: '/srv/archive/wharfinger-state' })
  assert.deepEqual(config.reports, { kind: 'folder', path: '/srv/archive/wharfinger-reports' })
  assert.deepEqual(config.dropZones, [])
  assert.equal(config.threads, 3)
  assert.equal(config.lifecycle, undefined)
})

test('every problem is told at once, from the top of the file to its end', () => {
  const problems = problemsOf(`state: ./s
reprots: ./r
dropZones:
  - name: in box
    adress: ./d
threads: none
chunk: { maxFiles: 0 }
`)
  assert.deepEqual(
    problems.map((problem) => /^line (\d+), column (\d+)/.exec(problem)?.slice(1).join(':')),
    ['2:1', '4:5', '5:5', '6:1', '7:10', undefined],
  )
  assert.match(problems[0] ?? '', /`reprots` is not a setting; there are .*reports/)
  assert.match(problems.at(-1) ?? '', /needs an `address`/)
})

test('state or reports where a sender could write are refused, in a folder and in a bucket', () => {
  assert.match(
    problemsOf('state: ./in/state\ndropZones: [{ name: inbox, address: ./in }]').join('\n'),
    /^state must not lie inside the drop zone `inbox`/,
  )
  assert.match(
    problemsOf(
      'reports: s3://records/in/reports\ndropZones: [{ name: inbox, address: s3://records/in }]',
    ).join('\n'),
    /^reports must not lie inside the drop zone `inbox`/,
  )
  assert.deepEqual(problemsOf('state: ./in-state\ndropZones: [{ name: inbox, address: ./in }]'), [])
})

test('two drop zones of one name and a service for one that is not there are refused', () => {
  const problems = problemsOf(
    'dropZones: [{ name: a, address: ./a }, { name: a, address: ./b }]\nservice: { dropZone: c }',
  )
  assert.match(problems.join('\n'), /two drop zones are called `a`/)
  assert.match(problems.join('\n'), /names a drop zone `c` that there is none of/)
})

test('what a deployment says of addresses wins over the file, and may add drop zones', () => {
  const config = readConfig(
    'state: ./s\nqueue: { url: https://sqs.example/1/other }\ndropZones: [{ name: inbox, address: ./in, series: HO 1 }]',
    {
      ...surroundings,
      deployment: {
        state: 's3://state/here',
        dropZones: { inbox: 's3://records/inbox', second: 's3://records/second' },
        queue: { url: 'https://sqs.example/1/chunks' },
      },
    },
  )
  assert.deepEqual(config.state, { kind: 's3', bucket: 'state', prefix: 'here/' })
  assert.deepEqual(
    config.dropZones.map(({ name, store, series }) => [
      name,
      store.kind === 's3' ? store.prefix : store.path,
      series,
    ]),
    [
      ['inbox', 'inbox/', 'HO 1'],
      ['second', 'second/', undefined],
    ],
  )
  assert.equal(config.queue.chunks?.url, 'https://sqs.example/1/chunks')
})

test('YAML that cannot be parsed is told with its place', () => {
  assert.match(problemsOf('a: [1,\nb: }').join('\n'), /at line 2, column/)
  assert.match(problemsOf('- a list').join('\n'), /has to hold names and values/)
})

/** The smallest configuration that has a section, with a setting in it that there is not. */
const PROBES: Readonly<Record<string, string>> = {
  '': 'zzz: 1',
  s3: 's3: { zzz: 1 }',
  chunk: 'chunk: { zzz: 1 }',
  dropZones: 'dropZones: [{ name: a, address: ./a, zzz: 1 }]',
  queue: 'queue: { zzz: 1 }',
  service: 'service: { zzz: 1 }',
  'service.oidc': 'service: { oidc: { zzz: 1 } }',
  'service.oidc.claims': 'service: { oidc: { claims: { zzz: 1 } } }',
  'service.oidc.roles': 'service: { oidc: { roles: { zzz: 1 } } }',
  schedules: 'schedules: [{ name: a, cron: "* * * * *", zzz: 1 }]',
  lifecycle: 'lifecycle: { zzz: 1 }',
  'lifecycle.windows': 'lifecycle: { windows: [{ days: [MON], zzz: 1 }] }',
  'lifecycle.overrides': 'lifecycle: { overrides: [{ zzz: 1 }] }',
  'lifecycle.task': 'lifecycle: { task: { zzz: 1 } }',
  'lifecycle.standing': 'lifecycle: { standing: { zzz: 1 } }',
}

type Schema = {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

/** Every section of the schema that has settings, by its path. */
function* sectionsOf(schema: Schema, path = ''): Generator<readonly [string, readonly string[]]> {
  const one = schema.items ?? schema
  if (one.properties === undefined) return
  yield [path, Object.keys(one.properties).sort()]
  for (const [name, inner] of Object.entries(one.properties))
    yield* sectionsOf(inner, path === '' ? name : `${path}.${name}`)
}

test('the JSON Schema for editors has exactly the settings that are read', () => {
  const file = join(packageRoot(), 'docs/reference/configuration.schema.json')
  const sections = new Map(sectionsOf(JSON.parse(readFileSync(file, 'utf8')) as Schema))
  assert.deepEqual([...sections.keys()].sort(), Object.keys(PROBES).sort())
  for (const [path, yaml] of Object.entries(PROBES)) {
    const said = problemsOf(yaml).find((problem) => problem.includes('`zzz` is not a setting'))
    const read = /there are (.*)$/.exec(said ?? '')?.[1]?.split(', ')
    assert.deepEqual(sections.get(path), read, path === '' ? 'the top' : path)
  }
})

test('every setting is in the reference', () => {
  const reference = ['configuration.md', 'lifecycle.md', 'metadata-rules.md']
    .map((name) => readFileSync(join(packageRoot(), 'docs/reference', name), 'utf8'))
    .join('\n')
  const file = join(packageRoot(), 'docs/reference/configuration.schema.json')
  const missing = [...sectionsOf(JSON.parse(readFileSync(file, 'utf8')) as Schema)].flatMap(
    ([path, names]) =>
      names
        .filter((name) => !new RegExp(`\\b${name}\\b`).test(reference))
        .map((name) => `${path}.${name}`),
  )
  assert.deepEqual(missing, [])
})

test.run()
