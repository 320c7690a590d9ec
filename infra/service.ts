import { Duration, Stack } from 'aws-cdk-lib'
import { ScalableTarget, ServiceNamespace } from 'aws-cdk-lib/aws-applicationautoscaling'
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import type { IRepository } from 'aws-cdk-lib/aws-ecr'
import {
  AvailabilityZoneRebalancing,
  ContainerImage,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  LogDrivers,
  OperatingSystemFamily,
  type ICluster,
} from 'aws-cdk-lib/aws-ecs'
import { Role } from 'aws-cdk-lib/aws-iam'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { Network } from './network.ts'

/** Fargate's most: what is in hand is finished or handed back in this time. */
export const STOP_TIMEOUT = Duration.seconds(120)

/** Where `serve` listens. */
export const PORT = 8080

/** The only place a task can write to, beside memory. */
const SCRATCH = '/scratch'

export type ServiceOptions = {
  readonly command: 'work' | 'serve'
  readonly cluster: ICluster
  readonly network: Network
  readonly repository: IRepository
  readonly tag: string
  readonly architecture: 'ARM64' | 'X86_64'
  readonly cpu: number
  readonly memoryMiB: number
  readonly scratchGiB: number
  readonly maxTasks: number
  readonly environment: Readonly<Record<string, string>>
}

/**
 * One command of the image as a Fargate service that may go to zero. The template never states a
 * desired count, so that no deployment wakes it or puts it to sleep; the bounds of the scalable
 * target belong to the lifecycle once it has been applied.
 */
export class Service extends Construct {
  readonly service: FargateService
  readonly scaling: ScalableTarget
  readonly logs: LogGroup

  constructor(scope: Construct, id: string, options: ServiceOptions) {
    super(scope, id)
    const { command, network, repository, tag } = options
    this.logs = new LogGroup(this, 'Logs', { retention: RetentionDays.ONE_YEAR })
    const definition = new FargateTaskDefinition(this, 'Task', {
      cpu: options.cpu,
      memoryLimitMiB: options.memoryMiB,
      ephemeralStorageGiB: options.scratchGiB,
      runtimePlatform: {
        operatingSystemFamily: OperatingSystemFamily.LINUX,
        cpuArchitecture:
          options.architecture === 'ARM64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
      },
      volumes: [{ name: 'scratch' }],
    })
    const container = definition.addContainer('engine', {
      image: ContainerImage.fromEcrRepository(repository, tag),
      command: [command],
      user: 'node',
      readonlyRootFilesystem: true,
      stopTimeout: STOP_TIMEOUT,
      environment: { TMPDIR: SCRATCH, ...options.environment },
      logging: LogDrivers.awsLogs({ logGroup: this.logs, streamPrefix: command }),
      ...(command === 'serve'
        ? {
            portMappings: [{ containerPort: PORT }],
            healthCheck: {
              command: ['CMD', 'node', '-e', HEALTH_CHECK],
              startPeriod: Duration.seconds(30),
            },
          }
        : // A worker that looks ill may be hashing: its deadlines and the queue's visibility judge it.
          {}),
    })
    container.addMountPoints({ sourceVolume: 'scratch', containerPath: SCRATCH, readOnly: false })
    this.service = new FargateService(this, 'Service', {
      cluster: options.cluster,
      taskDefinition: definition,
      assignPublicIp: network.assignPublicIp,
      vpcSubnets: network.taskSubnets,
      securityGroups: [
        new SecurityGroup(this, 'Access', {
          vpc: network.vpc,
          description: `${command}: nobody may call in, but a load balancer that says so`,
          allowAllOutbound: true,
        }),
      ],
      circuitBreaker: { rollback: true },
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      // Rebalancing stops tasks; nothing says that it respects their protection.
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.DISABLED,
      enableECSManagedTags: true,
    })
    this.scaling = new ScalableTarget(this, 'Tasks', {
      serviceNamespace: ServiceNamespace.ECS,
      resourceId: `service/${options.cluster.clusterName}/${this.service.serviceName}`,
      scalableDimension: 'ecs:service:DesiredCount',
      minCapacity: 0,
      maxCapacity: options.maxTasks,
      role: Role.fromRoleArn(this, 'ScalingRole', serviceLinkedRole(this)),
    })
  }
}

/** Application Auto Scaling makes it itself when an ECS service is first registered. */
function serviceLinkedRole(scope: Construct): string {
  return Stack.of(scope).formatArn({
    service: 'iam',
    region: '',
    resource: 'role/aws-service-role/ecs.application-autoscaling.amazonaws.com',
    resourceName: 'AWSServiceRoleForApplicationAutoScaling_ECSService',
  })
}

export const HEALTH_CHECK = `fetch('http://127.0.0.1:${PORT}/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`
