import { CfnOutput, Stack, Tags, type StackProps } from 'aws-cdk-lib'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { Cluster, ContainerInsights, type ICluster } from 'aws-cdk-lib/aws-ecs'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Construct } from 'constructs'
import { Alarms } from './alarms.ts'
import { Announcements } from './announcements.ts'
import { BacklogScaling } from './backlog-scaling.ts'
import { Buckets } from './buckets.ts'
import { watchBudget } from './budget.ts'
import { FrontDoor } from './front-door.ts'
import { IntegratorRole } from './integrator-role.ts'
import { makeMalwareRole, scanForMalware } from './malware-scan.ts'
import { Network } from './network.ts'
import { OperatorDashboard } from './operator-dashboard.ts'
import { Queues } from './queues.ts'
import { Service, STOP_TIMEOUT } from './service.ts'
import type { Settings } from './settings.ts'
import { permitServe, permitWork } from './task-permissions.ts'
import { Tick, type Watched } from './tick.ts'

const COST_TAG = 'wharfinger'

/** `serve` answers and waits: a quarter of a vCPU does, and two at most share the callers. */
const SERVE = { cpu: 256, memoryMiB: 1024, maxTasks: 2 } as const

/** One deployment of the engine, and of its API where the settings ask for one. */
export class WharfingerStack extends Stack {
  readonly buckets: Buckets
  readonly queues: Queues
  readonly cluster: ICluster
  readonly tick: Tick

  constructor(scope: Construct, id: string, settings: Settings, props: StackProps = {}) {
    super(scope, id, { terminationProtection: true, ...props, env: { region: settings.region } })
    Tags.of(this).add('service', COST_TAG)
    const { zones, integrators, egress, vpc, api, runbookUrl, maxTasks, architecture } = settings
    const network = new Network(this, 'Network', { egress, vpc })
    const malwareRole = settings.malwareScan ? makeMalwareRole(this) : undefined
    const buckets = new Buckets(this, 'Buckets', {
      ...settings,
      malwareRoleArn: malwareRole?.roleArn,
    })
    if (malwareRole !== undefined) scanForMalware(malwareRole, buckets)
    for (const integrator of integrators) {
      const { role } = new IntegratorRole(
        this,
        `Integrator-${integrator.name}`,
        integrator,
        buckets,
      )
      new CfnOutput(this, `RoleOf-${integrator.name}`, { value: role.roleArn })
    }
    const queues = new Queues(this, 'Queues', buckets)
    this.buckets = buckets
    this.queues = queues
    // aws-cdk-lib is not written for exactOptionalPropertyTypes: its Cluster is an ICluster all the same.
    const cluster = new Cluster(this, 'Cluster', {
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.DISABLED,
    }) as ICluster
    this.cluster = cluster
    const service = (command: 'work' | 'serve', size: typeof SERVE | WorkSize) =>
      new Service(this, command === 'work' ? 'Work' : 'Serve', {
        command,
        cluster,
        network,
        architecture,
        ...size,
        scratchGiB: settings.scratchGiB,
        repository: Repository.fromRepositoryName(
          this,
          `Image-${command}`,
          settings.image.repository,
        ),
        tag: settings.image.tag,
        environment: taskEnvironment(buckets, queues, settings),
      })
    const surroundings = { buckets, queues, cluster, zones }
    const watched = (command: 'work' | 'serve', made: Service): Watched => ({
      command,
      service: made,
      resourceId: `service/${cluster.clusterName}/${made.service.serviceName}`,
    })

    const work = service('work', {
      cpu: settings.workCpu,
      memoryMiB: settings.workMemoryMiB,
      maxTasks,
    })
    permitWork(work.service.taskDefinition.taskRole, surroundings)
    new BacklogScaling(this, 'BacklogScaling', { scaling: work.scaling, queues, maxTasks })
    const services = [watched('work', work)]

    let door: { readonly door: FrontDoor; readonly resourceId: string } | undefined
    if (api !== undefined) {
      const serve = service('serve', SERVE)
      permitServe(serve.service.taskDefinition.taskRole, surroundings)
      const watchedServe = watched('serve', serve)
      const { resourceId } = watchedServe
      services.push(watchedServe)
      door = {
        door: new FrontDoor(this, 'FrontDoor', { api, network, buckets, serve, resourceId }),
        resourceId,
      }
      new CfnOutput(this, 'BalancerName', { value: door.door.balancer.loadBalancerDnsName })
    }

    const topic = new Topic(this, 'Alerts', { displayName: 'Wharfinger alerts', enforceSSL: true })
    if (settings.alarmEmail !== undefined)
      topic.addSubscription(new EmailSubscription(settings.alarmEmail))
    const tick = new Tick(this, 'Tick', { buckets, services, frontDoor: door })
    this.tick = tick
    new Alarms(this, 'Alarms', { topic, runbookUrl, queues, services, tick, frontDoor: door?.door })
    watchBudget(topic, settings.monthlyBudgetUsd, COST_TAG)
    new OperatorDashboard(this, 'Operators', { queues, services, runbookUrl })
    const announcements = new Announcements(this, 'Announcements', {
      buckets,
      queues,
      apiUrl: api?.url ?? '',
    })
    for (const [name, value] of Object.entries({
      DropZoneBucket: buckets.dropZone.bucketName,
      StateBucket: buckets.state.bucketName,
      ReportsBucket: buckets.reports.bucketName,
      WorkResourceId: watched('work', work).resourceId,
      AlertsTopic: topic.topicArn,
      ReportsTopic: announcements.topic.topicArn,
    }))
      new CfnOutput(this, name, { value })
  }
}

type WorkSize = { readonly cpu: number; readonly memoryMiB: number; readonly maxTasks: number }

/** Without secrets: tasks take their credentials from their role. */
function taskEnvironment(
  buckets: Buckets,
  queues: Queues,
  settings: Settings,
): Record<string, string> {
  const { state, reports, zone } = buckets.addresses
  return {
    // Beside it, what only the template knows overrides what the file says.
    WHARFINGER_CONFIG: `${state}config/wharfinger.yaml`,
    WHARFINGER_STATE: state,
    WHARFINGER_REPORTS: reports,
    WHARFINGER_DROP_ZONES: settings.zones.map(({ name }) => `${name}=${zone(name)}`).join(','),
    WHARFINGER_QUEUE_URL: queues.chunks.queueUrl,
    WHARFINGER_DEAD_LETTER_QUEUE_URL: queues.deadLetters.chunks.queueUrl,
    WHARFINGER_DOORBELL_URL: queues.doorbell.queueUrl,
    WHARFINGER_STOP_SECONDS: String(STOP_TIMEOUT.toSeconds()),
    ...(settings.api === undefined ? {} : { WHARFINGER_API_URL: settings.api.url }),
  }
}
