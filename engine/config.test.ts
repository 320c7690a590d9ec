import assert from 'node:assert/strict'
import { suite } from 'uvu'
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

test.run()
