import { Duration } from 'aws-cdk-lib'
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager'
import { Peer, Port, SecurityGroup, SubnetType } from 'aws-cdk-lib/aws-ec2'
import {
  ApplicationListenerRule,
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  ListenerAction,
  ListenerCondition,
  SslPolicy,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { LambdaTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2-targets'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2'
import { Construct } from 'constructs'
import type { Buckets } from './buckets.ts'
import type { Network } from './network.ts'
import { PORT, type Service } from './service.ts'
import type { Settings } from './settings.ts'
import { SmallFunction } from './small-function.ts'

export type FrontDoorOptions = {
  readonly api: NonNullable<Settings['api']>
  readonly network: Network
  readonly buckets: Buckets
  readonly serve: Service
  /** Of `serve`, as the scaling knows it. */
  readonly resourceId: string
}

/**
 * HTTPS to `serve`, behind a web ACL where one is given. One listener rule leads either to the
 * tasks or, while none runs, to a small function that says when the service opens; the tick turns it.
 */
export class FrontDoor extends Construct {
  readonly balancer: ApplicationLoadBalancer
  readonly rule: ApplicationListenerRule
  readonly serveTargets: ApplicationTargetGroup
  readonly asleepTargets: ApplicationTargetGroup

  constructor(scope: Construct, id: string, options: FrontDoorOptions) {
    super(scope, id)
    const { api, network, buckets, serve, resourceId } = options
    const { vpc } = network
    const access = new SecurityGroup(this, 'Access', {
      vpc,
      description: 'HTTPS from where the settings allow it',
      allowAllOutbound: false,
    })
    for (const cidr of api.allowFrom)
      access.addIngressRule(Peer.ipv4(cidr), Port.tcp(443), 'HTTPS callers')
    this.balancer = new ApplicationLoadBalancer(this, 'Balancer', {
      vpc,
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      internetFacing: true,
      securityGroup: access,
      dropInvalidHeaderFields: true,
      deletionProtection: true,
    })
    this.balancer.logAccessLogs(buckets.logs as IBucket, 'load-balancer')
    this.serveTargets = new ApplicationTargetGroup(this, 'Serve', {
      vpc,
      targetType: TargetType.IP,
      protocol: ApplicationProtocol.HTTP,
      port: PORT,
      healthCheck: { path: '/readyz', interval: Duration.seconds(15) },
      // Under the stop timeout, so that requests in flight end before the task has to.
      deregistrationDelay: Duration.seconds(60),
    })
    this.serveTargets.addTarget(serve.service)
    const asleep = new SmallFunction(this, 'Asleep', {
      entry: 'asleep',
      description: '503 with Retry-After while serve sleeps',
      environment: { STATE_BUCKET: buckets.state.bucketName, RESOURCE_ID: resourceId },
    })
    asleep.permit(['s3:GetObject'], [buckets.state.arnForObjects('lifecycle/windows.json')])
    asleep.permit(['s3:ListBucket'], [buckets.state.bucketArn]) // or S3 says 403 for what is not there
    asleep.permit(['kms:Decrypt'], [buckets.keys.state.keyArn])
    this.asleepTargets = new ApplicationTargetGroup(this, 'AsleepTargets', {
      targetType: TargetType.LAMBDA,
      targets: [new LambdaTarget(asleep.fn)],
    })
    const listener = this.balancer.addListener('Https', {
      port: 443,
      open: false,
      protocol: ApplicationProtocol.HTTPS,
      certificates: [Certificate.fromCertificateArn(this, 'Certificate', api.certificateArn)],
      sslPolicy: SslPolicy.RECOMMENDED_TLS,
      defaultAction: ListenerAction.fixedResponse(404),
    })
    // Only for the host that the certificate is for.
    this.rule = new ApplicationListenerRule(this, 'Open', {
      listener,
      priority: 1,
      conditions: [ListenerCondition.hostHeaders([new URL(api.url).hostname])],
      action: ListenerAction.forward([this.serveTargets]),
    })
    if (api.webAclArn !== undefined) {
      new CfnWebACLAssociation(this, 'WebAcl', {
        resourceArn: this.balancer.loadBalancerArn,
        webAclArn: api.webAclArn,
      })
    }
    // ECS refuses a service whose target group hangs on no load balancer yet.
    serve.service.node.addDependency(this.rule)
  }
}
