import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Match } from 'aws-cdk-lib/assertions'
import { suite } from 'uvu'
import { anchors } from './alarms.ts'
import { packageFolder } from './package-folder.ts'
import { statementsOf } from './rendered-policies.ts'
import { fullSettings, synthesise } from './sample-deployment.ts'

const { template } = synthesise(fullSettings)
const alarms = Object.entries(template.findResources('AWS::CloudWatch::Alarm'))
const queues = Object.entries(template.findResources('AWS::SQS::Queue'))

const LONGEST_CLOSURE_HOURS = 107 // Easter, Thursday 20:00 to Tuesday 07:00

const test = suite('watching')

test('every queue and dead-letter queue outlasts the longest closure, as long as SQS can', () => {
  assert.equal(queues.length, 5)
  for (const [id, { Properties }] of queues) {
    assert.ok(Properties.MessageRetentionPeriod / 3600 > LONGEST_CLOSURE_HOURS, id)
    assert.equal(Properties.MessageRetentionPeriod, 14 * 24 * 3600, id)
  }
})

test('a completed transfer rings, also by a corrected complete.2.json', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: Match.objectLike({
        object: { key: [{ wildcard: '*/complete.json' }, { wildcard: '*/complete.*.json' }] },
      }),
    },
    Targets: [Match.objectLike({ DeadLetterConfig: Match.anyValue() })],
  })
})

test('messages are not given up before the engine itself gives up a chunk', () => {
  const redriven = queues.filter(([, { Properties }]) => Properties.RedrivePolicy !== undefined)
  assert.equal(redriven.length, 2)
  for (const [, { Properties }] of redriven) assert.ok(Properties.RedrivePolicy.maxReceiveCount > 3)
})

test('each dead-letter queue has an alarm', () => {
  const watched = alarms.filter(([id]) => id.includes('DeadLetters'))
  assert.equal(watched.length, 3)
})

test('every alarm that is sent goes to the topic and says where to read what to do', () => {
  const all = [
    ...alarms,
    ...Object.entries(template.findResources('AWS::CloudWatch::CompositeAlarm')),
  ]
  const page = readFileSync(join(packageFolder(), 'docs/howto/on-call.md'), 'utf8')
  const linked = new Set<string>(['budget'])
  for (const [id, { Properties }] of all) {
    if (!JSON.stringify(Properties.AlarmActions ?? []).includes('Alerts')) continue
    const anchor = /docs\/howto\/on-call\.md#([a-z-]+)$/.exec(Properties.AlarmDescription)?.[1]
    assert.ok(anchor !== undefined, id)
    linked.add(anchor)
  }
  assert.deepEqual([...linked].sort(), [...anchors].sort())
  for (const anchor of anchors) {
    const section = page.split(/^## /m).find((part) => part.startsWith(`${anchor}\n`))
    assert.ok(section, `docs/howto/on-call.md has no section ${anchor}`)
    for (const part of ['**Means**', '**First command**', '**May wait**'])
      assert.ok(section.includes(part), `${anchor}: ${part}`)
  }
})

test('alarms that sleeping could ring take missing figures as well, but silence of the tick as ill', () => {
  for (const [id, { Properties }] of alarms) {
    const wantsSilence = /TickSilent|BacklogScalingNothing/.test(id)
    assert.equal(Properties.TreatMissingData, wantsSilence ? 'breaching' : 'notBreaching', id)
  }
})

test('waiting work rings only while awake: the age of messages grows all weekend by design', () => {
  const [composite] = Object.values(template.findResources('AWS::CloudWatch::CompositeAlarm'))
  const suppressor = composite?.['Properties'].ActionsSuppressor['Fn::GetAtt'][0]
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    MetricName: 'Asleep',
    Namespace: 'Wharfinger',
  })
  assert.match(suppressor, /^AlarmsAsleep/)
  const waiting = alarms.find(([id]) => id.startsWith('AlarmsWaiting'))?.[1]['Properties']
  assert.equal(waiting.AlarmActions, undefined)
})

test('the tick runs every five minutes whatever sleeps, and may only look and set bounds', () => {
  template.hasResourceProperties('AWS::Scheduler::Schedule', {
    ScheduleExpression: 'rate(5 minutes)',
    State: 'ENABLED',
  })
  const actions = statementsOf(template, 'AWS::IAM::Policy', /^TickReconcileRole/).flatMap(
    ({ Action }) => Action,
  )
  assert.deepEqual(actions.sort(), [
    'application-autoscaling:DescribeScalableTargets',
    'application-autoscaling:RegisterScalableTarget',
    'ecs:DescribeServices',
    'elasticloadbalancing:ModifyRule',
    'kms:Decrypt',
    'kms:GenerateDataKey',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    's3:GetObject',
    's3:ListBucket',
    's3:PutObject', // only lifecycle/pauses/
  ])
})

test('the month is budgeted, and the topic told of forecast and fact', () => {
  template.hasResourceProperties('AWS::Budgets::Budget', {
    Budget: Match.objectLike({ BudgetLimit: { Amount: 100, Unit: 'USD' }, TimeUnit: 'MONTHLY' }),
    NotificationsWithSubscribers: [
      Match.objectLike({ Notification: Match.objectLike({ NotificationType: 'FORECASTED' }) }),
      Match.objectLike({ Notification: Match.objectLike({ NotificationType: 'ACTUAL' }) }),
    ],
  })
})

test('callers come by HTTPS through the web ACL, from where the settings say', () => {
  template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
    Port: 443,
    Protocol: 'HTTPS',
  })
  template.resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 1)
  template.resourceCountIs('AWS::WAFv2::WebACLAssociation', 1)
  template.hasResourceProperties('AWS::EC2::SecurityGroup', {
    SecurityGroupIngress: [
      Match.objectLike({ CidrIp: '203.0.113.0/24', FromPort: 443, ToPort: 443 }),
    ],
  })
})

test('a report that comes into being is announced on the event bus and the topic', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: Match.objectLike({
      detail: Match.objectLike({ object: { key: [{ suffix: '/delivered.json' }] } }),
    }),
  })
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: { source: ['wharfinger'], 'detail-type': ['ReportDelivered'] },
    Targets: [Match.objectLike({ InputPath: '$.detail', DeadLetterConfig: Match.anyValue() })],
  })
})

test('topics and queues take nothing without TLS', () => {
  for (const type of ['AWS::SNS::TopicPolicy', 'AWS::SQS::QueuePolicy']) {
    const policies = Object.values(template.findResources(type))
    const owners = Object.keys(template.findResources(type.replace('Policy', '')))
    assert.equal(policies.length, owners.length)
    for (const policy of policies)
      assert.match(JSON.stringify(policy), /"aws:SecureTransport":"false"/)
  }
})

test.run()
