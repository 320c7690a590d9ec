import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  SubnetType,
  Vpc,
  type IVpc,
  type SubnetConfiguration,
  type SubnetSelection,
} from 'aws-cdk-lib/aws-ec2'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { endpointServices, type EgressChoice } from './egress.ts'
import type { ExistingVpc } from './settings.ts'

export type NetworkOptions = {
  readonly egress: EgressChoice
  /** Taken as it is; without it a VPC is made. */
  readonly vpc?: ExistingVpc | undefined
}

/** Where tasks run: an existing VPC named by ids, so that synthesis looks nothing up. */
export class Network extends Construct {
  readonly vpc: IVpc
  readonly taskSubnets: SubnetSelection
  /** Tasks in public subnets need an address of their own to reach AWS. */
  readonly assignPublicIp: boolean

  constructor(scope: Construct, id: string, { egress, vpc }: NetworkOptions) {
    super(scope, id)
    this.assignPublicIp = egress === 'public-address'
    this.taskSubnets = { subnetType: taskSubnetType(egress) }
    this.vpc = vpc === undefined ? this.#makeVpc(egress) : this.#existing(vpc, egress)
    if (egress === 'endpoints') {
      for (const service of endpointServices) {
        this.vpc.addInterfaceEndpoint(service.replaceAll('.', '-'), {
          service: new InterfaceVpcEndpointAwsService(service),
          subnets: this.taskSubnets,
        })
      }
    }
  }

  #existing(vpc: ExistingVpc, egress: EgressChoice): IVpc {
    const privateIds = vpc.privateSubnetIds
    return Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId: vpc.vpcId,
      availabilityZones: [...vpc.availabilityZones],
      ...(vpc.cidr === undefined ? {} : { vpcCidrBlock: vpc.cidr }),
      ...(vpc.publicSubnetIds === undefined ? {} : { publicSubnetIds: [...vpc.publicSubnetIds] }),
      ...(privateIds === undefined
        ? {}
        : egress === 'endpoints'
          ? { isolatedSubnetIds: [...privateIds] }
          : { privateSubnetIds: [...privateIds] }),
    })
  }

  #makeVpc(egress: EgressChoice): IVpc {
    const subnets: SubnetConfiguration[] = [
      { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24 },
    ]
    if (egress !== 'public-address')
      subnets.push({ name: 'tasks', subnetType: taskSubnetType(egress), cidrMask: 24 })
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.60.0.0/16'),
      maxAzs: 2,
      natGateways: egress === 'nat' ? 2 : 0,
      subnetConfiguration: subnets,
      restrictDefaultSecurityGroup: false, // would need a custom resource; nothing uses that group
    })
    // Free, and keeps record bytes off metered ways out.
    vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 })
    vpc.addFlowLog('Rejected', {
      trafficType: FlowLogTrafficType.REJECT,
      destination: FlowLogDestination.toCloudWatchLogs(
        new LogGroup(this, 'RejectedTraffic', { retention: RetentionDays.ONE_MONTH }),
      ),
    })
    // aws-cdk-lib is not written for exactOptionalPropertyTypes: its Vpc is an IVpc all the same.
    return vpc as IVpc
  }
}

function taskSubnetType(egress: EgressChoice): SubnetType {
  switch (egress) {
    case 'public-address':
      return SubnetType.PUBLIC
    case 'endpoints':
      return SubnetType.PRIVATE_ISOLATED
    case 'nat':
      return SubnetType.PRIVATE_WITH_EGRESS
  }
}
