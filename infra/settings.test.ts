import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import { packageFolder } from './package-folder.ts'
import { fullSettings, smallSettings } from './sample-deployment.ts'
import { readSettings, type Settings } from './settings.ts'

const test = suite('settings')

test('what cdk.json holds can be used', () => {
  const file = JSON.parse(readFileSync(join(packageFolder(), 'cdk.json'), 'utf8')) as {
    context: { wharfinger: Partial<Settings> }
  }
  assert.equal(readSettings(file.context.wharfinger).maxTasks, 4)
})

const bad: [string, Partial<Settings>, RegExp][] = [
  ['an unknown name', { colour: 'red' } as Partial<Settings>, /`colour` is not a setting/],
  [
    'an image that moves',
    { image: { repository: 'wharfinger', tag: 'latest' } },
    /must not be `latest`/,
  ],
  ['no drop zone', { zones: [] }, /at least one drop zone/],
  [
    'a zone whose name is a pattern',
    { zones: [{ name: '*', shape: 'copied-folders' }] },
    /zone `\*`/,
  ],
  [
    'an integrator named as a pattern',
    { integrators: [{ name: 'a*', zone: 'folders', assumedBy: '111122223333' }] },
    /integrator `a\*`/,
  ],
  [
    'an integrator that anybody may become',
    { integrators: [{ name: 'a', zone: 'folders', assumedBy: '*' }] },
    /`assumedBy`/,
  ],
  [
    'an integrator in no zone',
    { integrators: [{ name: 'a', zone: 'elsewhere', assumedBy: '111122223333' }] },
    /which is not there/,
  ],
  [
    'two zones of one name',
    {
      zones: [
        { name: 'a', shape: 'copied-folders' },
        { name: 'a', shape: 'no-overwrite' },
      ],
    },
    /two of zone `a`/,
  ],
  ['no ceiling', { maxTasks: Infinity }, /`maxTasks`/],
  [
    'hand-overs marked by anybody',
    { expireHandedOver: { afterDays: 1, markedBy: '*' } },
    /markedBy/,
  ],
]
for (const [name, change, problem] of bad)
  test(`${name} is refused`, () =>
    assert.throws(() => readSettings({ ...smallSettings, ...change }), problem))

test('all problems are told at once', () => {
  assert.throws(
    () => readSettings({ ...fullSettings, maxTasks: 0, scratchGiB: 1 }),
    (error: Error) => error.message.includes('maxTasks') && error.message.includes('scratchGiB'),
  )
})

test.run()
