import assert from 'node:assert/strict'
import { Match } from 'aws-cdk-lib/assertions'
import { suite } from 'uvu'
import { lintTemplate, type Template } from '../lifecycle/template-lints.ts'
import { statementsOf } from './rendered-policies.ts'
import { fullSettings, smallSettings, synthesise } from './sample-deployment.ts'

const { template } = synthesise(fullSettings)
const services = Object.entries(template.findResources('AWS::ECS::Service'))
const definitions = Object.entries(template.findResources('AWS::ECS::TaskDefinition'))

const test = suite('services')

test('work and serve are two services of one image', () => {
  assert.equal(services.length, 2)
  const containers = definitions.map(([, { Properties }]) => Properties.ContainerDefinitions[0])
  assert.deepEqual(
    containers.map(({ Command }) => Command),
    [['work'], ['serve']],
  )
  assert.equal(new Set(containers.map(({ Image }) => JSON.stringify(Image))).size, 1)
})

test('the template states no desired count, so that no deployment wakes a sleeping service', () => {
  for (const [id, { Properties }] of services) assert.ok(!('DesiredCount' in Properties), id)
})

test('the lifecycle has nothing against the template, and something against each mistake in it', () => {
  const closureHours = 107.5
  for (const settings of [fullSettings, smallSettings]) {
    const whole = synthesise(settings).template.toJSON() as Template
    assert.deepEqual(lintTemplate(whole, closureHours), [])
  }
  const { Resources = {} } = template.toJSON() as Template
  const mistakes: [type: string, properties: Record<string, unknown>, said: RegExp][] = [
    ['AWS::ECS::Service', { DesiredCount: 1 }, /has a DesiredCount/],
    ['AWS::ECS::Service', { AvailabilityZoneRebalancing: 'ENABLED' }, /zone rebalancing/],
    ['AWS::ECS::TaskDefinition', { ContainerDefinitions: [{ Name: 'a' }] }, /30 seconds/],
    ['AWS::SQS::Queue', { MessageRetentionPeriod: undefined }, /keeps messages for 96 hours/],
    [
      'AWS::S3::Bucket',
      {
        LifecycleConfiguration: {
          Rules: [{ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 } }],
        },
      },
      /after 3 days/,
    ],
  ]
  for (const [type, properties, said] of mistakes) {
    const [id, resource] = Object.entries(Resources).find(([, { Type }]) => Type === type) ?? []
    const mistaken = { ...resource, Properties: { ...resource?.Properties, ...properties } }
    const lints = lintTemplate({ Resources: { ...Resources, [id ?? '']: mistaken } }, closureHours)
    assert.equal(lints.length, 1, type)
    assert.match(lints[0]?.reason ?? '', said)
  }
})

test('tasks run on ARM64, as a user without privileges, and write to scratch disk alone', () => {
  for (const [id, { Properties }] of definitions) {
    assert.equal(Properties.RuntimePlatform.CpuArchitecture, 'ARM64', id)
    const [container] = Properties.ContainerDefinitions
    assert.equal(container.ReadonlyRootFilesystem, true, id)
    assert.equal(container.User, 'node', id)
    assert.deepEqual(container.MountPoints, [
      { ContainerPath: '/scratch', ReadOnly: false, SourceVolume: 'scratch' },
    ])
    assert.ok(
      container.Environment.some(
        ({ Name, Value }: { Name: string; Value: string }) =>
          Name === 'TMPDIR' && Value === '/scratch',
      ),
    )
  }
})

test('a task has two minutes to finish or hand back what it has in hand, and is told so', () => {
  for (const [, { Properties }] of definitions) {
    const [container] = Properties.ContainerDefinitions
    assert.equal(container.StopTimeout, 120)
    const told = container.Environment.find(
      ({ Name }: { Name: string }) => Name === 'WHARFINGER_STOP_SECONDS',
    )
    assert.equal(told.Value, '120')
  }
})

test('a deployment that does not start is rolled back, and nothing rebalances tasks at work', () => {
  for (const [, { Properties }] of services) {
    assert.deepEqual(Properties.DeploymentConfiguration.DeploymentCircuitBreaker, {
      Enable: true,
      Rollback: true,
    })
    assert.equal(Properties.AvailabilityZoneRebalancing, 'DISABLED')
  }
})

test('the ceiling of work is 4 tasks, the floor 0', () => {
  const targets = Object.values(
    template.findResources('AWS::ApplicationAutoScaling::ScalableTarget'),
  ).map(({ Properties: { MinCapacity, MaxCapacity, ScheduledActions } }) => ({
    MinCapacity,
    MaxCapacity,
    ScheduledActions,
  }))
  assert.deepEqual(targets, [
    { MinCapacity: 0, MaxCapacity: 4, ScheduledActions: undefined },
    { MinCapacity: 0, MaxCapacity: 2, ScheduledActions: undefined },
  ])
})

test('a backlog of any size starts a task, more start more up to the ceiling, and none is left at zero', () => {
  const policies = Object.values(
    template.findResources('AWS::ApplicationAutoScaling::ScalingPolicy'),
  ).map(({ Properties }) => Properties.StepScalingPolicyConfiguration)
  assert.equal(policies.length, 2)
  const [down, out] = policies.sort((a, b) => a.StepAdjustments.length - b.StepAdjustments.length)
  const tasksFor = (waiting: number): number =>
    out.StepAdjustments.find(
      (step: Step) =>
        waiting - 1 >= (step.MetricIntervalLowerBound ?? -Infinity) &&
        waiting - 1 < (step.MetricIntervalUpperBound ?? Infinity),
    ).ScalingAdjustment
  assert.deepEqual([1, 19, 20, 39, 40, 60, 10_000].map(tasksFor), [1, 1, 2, 2, 3, 4, 4])
  assert.equal(out.AdjustmentType, 'ExactCapacity')
  assert.deepEqual(down.StepAdjustments, [{ MetricIntervalUpperBound: 0, ScalingAdjustment: 0 }])
})

test('a chunk in work counts as backlog, and missing figures as none', () => {
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmDescription: Match.stringLikeRegexp('nothing has waited'),
    EvaluationPeriods: 15,
    Metrics: Match.arrayWith([
      Match.objectLike({ Expression: 'FILL(waiting, 0) + FILL(inWork, 0) + FILL(rings, 0)' }),
      Match.objectLike({
        MetricStat: Match.objectLike({
          Metric: Match.objectLike({ MetricName: 'ApproximateNumberOfMessagesNotVisible' }),
        }),
      }),
    ]),
  })
})

const allowedTo = (role: RegExp) =>
  statementsOf(template, 'AWS::IAM::Policy', role).flatMap(({ Effect, Action, Resource }) => {
    assert.equal(Effect, 'Allow')
    return [Action]
      .flat()
      .flatMap((action) => [Resource].flat().map((resource) => ({ action, resource })))
  })
const work = allowedTo(/^WorkTaskTaskRole/)
const serve = allowedTo(/^ServeTaskTaskRole/)

test('work may protect its tasks, and those of no other cluster', () => {
  const protection = work.filter(({ action }) => action.startsWith('ecs:'))
  assert.deepEqual(protection.map(({ action }) => action).sort(), [
    'ecs:GetTaskProtection',
    'ecs:UpdateTaskProtection',
  ])
  for (const { resource } of protection) assert.match(resource, /:task\/Cluster[^/]+\/\*$/)
})

test('no task deletes an object, writes a tag, or writes a record', () => {
  for (const { action, resource } of [...work, ...serve]) {
    assert.doesNotMatch(action, /s3:Delete|s3:Put\w*Tagging|s3:\*|^\*$/)
    assert.notEqual(`${action} ${resource}`, 's3:* *')
  }
  const written = work
    .filter(({ action }) => action === 's3:PutObject')
    .map(({ resource }) => resource)
  assert.ok(written.length > 0 && written.every((resource) => !resource.includes('DropZone')))
})

test('serve signs uploads into drop zones only, and writes no report', () => {
  const written = serve
    .filter(({ action }) => action === 's3:PutObject')
    .map(({ resource }) => resource)
  assert.equal(
    written.filter((resource) => /DropZone\w+\/(transfers|folders)\/\*$/.test(resource)).length,
    2,
  )
  assert.ok(written.every((resource) => !resource.includes('Reports')))
})

test('nothing is allowed on everything but what knows no resources', () => {
  const onEverything = [...work, ...serve]
    .filter(({ resource }) => resource === '*')
    .map(({ action }) => action)
  assert.deepEqual(onEverything.sort(), [
    'application-autoscaling:DescribeScalableTargets',
    'application-autoscaling:DescribeScheduledActions',
  ])
})

test('an engine-only deployment has no load balancer and no serve', () => {
  const small = synthesise(smallSettings).template
  small.resourceCountIs('AWS::ElasticLoadBalancingV2::LoadBalancer', 0)
  small.resourceCountIs('AWS::ECS::Service', 1)
})

test('a ceiling is stated once and holds for target and steps', () => {
  const { template: two } = synthesise({ ...smallSettings, maxTasks: 2 })
  two.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', { MaxCapacity: 2 })
  const most = Object.values(
    two.findResources('AWS::ApplicationAutoScaling::ScalingPolicy'),
  ).flatMap(({ Properties }) =>
    Properties.StepScalingPolicyConfiguration.StepAdjustments.map(
      (step: Step) => step.ScalingAdjustment,
    ),
  )
  assert.equal(Math.max(...most), 2)
})

test.run()

type Step = {
  readonly MetricIntervalLowerBound?: number
  readonly MetricIntervalUpperBound?: number
  readonly ScalingAdjustment: number
}
