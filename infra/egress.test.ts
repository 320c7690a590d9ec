import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { describeEgress, egressChoices, egressCosts } from './egress.ts'
import { readSettings } from './settings.ts'
import { smallSettings, synthesise } from './sample-deployment.ts'

const vpc = {
  vpcId: 'vpc-0a',
  availabilityZones: ['eu-west-2a', 'eu-west-2b'],
  publicSubnetIds: ['subnet-0a', 'subnet-0b'],
  privateSubnetIds: ['subnet-1a', 'subnet-1b'],
  cidr: '10.0.0.0/16',
}
const made = Object.fromEntries(
  egressChoices.map((egress) => [egress, synthesise({ ...smallSettings, egress }).template]),
)

const test = suite('egress')

test('the default is the cheapest up to the ceiling of tasks, even never asleep', () => {
  const { egress, maxTasks } = readSettings(smallSettings)
  for (let tasks = 1; tasks <= maxTasks + 2; tasks++)
    assert.equal(egressCosts(tasks, 2)[0]?.choice, egress)
})

test('the yearly cost is the hourly price times 8,760 hours', () => {
  const costs = Object.fromEntries(
    egressCosts(1, 2).map((cost) => [cost.choice, cost.yearlyUsd.toFixed(2)]),
  )
  assert.deepEqual(costs, { 'public-address': '43.80', nat: '876.00', endpoints: '1156.32' })
})

test('what is printed names each choice, its cost awake and asleep, and the one taken', () => {
  const lines = describeEgress('nat', 2, 2).split('\n')
  assert.equal(lines.length, 1 + egressChoices.length)
  assert.match(
    lines.find((line) => line.includes('>')) ?? '',
    /nat +\$ +876 a year, \$876 of it if always asleep/,
  )
})

test('whichever is chosen, nobody can call into a task that has no load balancer', () => {
  for (const [egress, template] of Object.entries(made)) {
    for (const [id, { Properties }] of Object.entries(
      template.findResources('AWS::EC2::SecurityGroup'),
    )) {
      if (id.startsWith('Network')) continue // of an endpoint, not of a task
      assert.equal(Properties.SecurityGroupIngress, undefined, `${egress}: ${id}`)
    }
    const ingress = Object.keys(template.findResources('AWS::EC2::SecurityGroupIngress'))
    assert.deepEqual(ingress, [], egress)
  }
})

test('each choice makes what it says and pays for nothing else', () => {
  const count = (egress: string, type: string) =>
    Object.keys(made[egress]?.findResources(type) ?? {}).length
  for (const egress of egressChoices) {
    assert.equal(count(egress, 'AWS::EC2::NatGateway'), egress === 'nat' ? 2 : 0, egress)
    const interfaces = Object.values(
      made[egress]?.findResources('AWS::EC2::VPCEndpoint') ?? {},
    ).filter(({ Properties }) => Properties.VpcEndpointType === 'Interface')
    assert.equal(interfaces.length, egress === 'endpoints' ? 6 : 0, egress)
    made[egress]?.hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: {
        AwsvpcConfiguration: {
          AssignPublicIp: egress === 'public-address' ? 'ENABLED' : 'DISABLED',
        },
      },
    })
  }
})

test('an existing VPC is taken by its ids: nothing is made in it, and nothing looked up', () => {
  const subnets = { 'public-address': vpc.publicSubnetIds, nat: vpc.privateSubnetIds }
  for (const egress of ['public-address', 'nat'] as const) {
    const { template, app } = synthesise({ ...smallSettings, egress, vpc })
    for (const type of ['VPC', 'Subnet', 'NatGateway', 'InternetGateway', 'VPCEndpoint'])
      template.resourceCountIs(`AWS::EC2::${type}`, 0)
    template.hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: { AwsvpcConfiguration: { Subnets: subnets[egress] } },
    })
    assert.deepEqual(app.synth().manifest.missing ?? [], [])
  }
})

test('a VPC that is made has the free way to S3', () => {
  for (const template of Object.values(made))
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' })
})

test('an existing VPC without the subnets that the choice needs is refused', () => {
  assert.throws(
    () =>
      readSettings({
        ...smallSettings,
        egress: 'endpoints',
        vpc: { ...vpc, privateSubnetIds: ['subnet-1a'] },
      }),
    /privateSubnetIds.*endpoints needs one in each availability zone/,
  )
})

test.run()
