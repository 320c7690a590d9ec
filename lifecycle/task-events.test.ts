import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suite } from 'uvu'
import { readTaskEvents, TaskEventsError } from './task-events.ts'

const test = suite('task events')

const at = (time: string) => `2026-11-23T${time}.000Z`
const event = (task: string, detail: Record<string, unknown>, group = 'service:work') => ({
  version: '0',
  'detail-type': 'ECS Task State Change',
  source: 'aws.ecs',
  detail: { taskArn: `arn:aws:ecs:eu-west-2:111122223333:task/cluster/${task}`, group, ...detail },
})
const told = [
  event('a', { lastStatus: 'PROVISIONING', createdAt: at('06:59:50') }),
  event('a', { lastStatus: 'PENDING', pullStartedAt: at('07:00:10') }),
  event('a', { lastStatus: 'RUNNING', pullStartedAt: at('07:00:10'), startedAt: at('07:00:40') }),
  event('a', { lastStatus: 'STOPPED', pullStartedAt: at('07:00:10'), stoppedAt: at('19:59:00') }),
  event('b', { lastStatus: 'RUNNING', pullStartedAt: at('08:00:00') }),
  event('c', { lastStatus: 'STOPPED', stoppedAt: at('09:00:00') }),
  event('d', { lastStatus: 'RUNNING', pullStartedAt: at('01:00:00') }, 'service:other'),
  { 'detail-type': 'ECS Deployment State Change', detail: {} },
]
const read = {
  tasks: [
    { startedUtc: Date.parse(at('07:00:10')), stoppedUtc: Date.parse(at('19:59:00')) },
    { startedUtc: Date.parse(at('08:00:00')), stoppedUtc: undefined },
  ],
  firstUtc: Date.parse(at('07:00:10')),
  passedOver: 2,
}

test('a task is billed from the pull of its image until it stopped, whatever else was told', () => {
  const lines = told.map((one) => JSON.stringify(one)).join('\n')
  assert.deepEqual(readTaskEvents(lines, 'work'), read)
  assert.deepEqual(readTaskEvents(JSON.stringify(told, undefined, 2), 'work'), read)
  assert.equal(readTaskEvents(`\ufeff${lines}\r\n\r\n`, undefined).tasks.length, 3)
})

test('events may come in any order and more than once', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...told, ...told], { minLength: told.length * 2 }), (some) => {
      const { tasks, firstUtc } = readTaskEvents(JSON.stringify(some), 'work')
      const sorted = [...tasks].sort((a, b) => a.startedUtc - b.startedUtc)
      assert.deepEqual({ tasks: sorted, firstUtc }, { tasks: read.tasks, firstUtc: read.firstUtc })
    }),
  )
})

test('a file that tells nothing is refused with its line', () => {
  const refused = (text: string, why: RegExp) =>
    assert.throws(
      () => readTaskEvents(text, 'work'),
      (error: unknown) => error instanceof TaskEventsError && why.test(error.message),
    )
  refused('', /empty/)
  refused(`${JSON.stringify(told[0])}\nno json`, /line 2 is no JSON/)
  refused('[1]', /event 1 is no event/)
  refused(JSON.stringify(told[6]), /no "ECS Task State Change" event of the service work/)
  refused(JSON.stringify(event('a', { pullStartedAt: 'soon' })), /line 1: `pullStartedAt`/)
})

test.run()
