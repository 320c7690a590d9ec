// Clients that Lambda's Node runtime brings and nothing else here uses: the part that is called.
declare module '@aws-sdk/client-eventbridge' {
  export class PutEventsCommand {
    private readonly command: 'PutEvents'
    constructor(input: {
      Entries: { Source: string; DetailType: string; Detail: string; EventBusName?: string }[]
    })
  }
  export class EventBridgeClient {
    constructor(options: object)
    send(command: PutEventsCommand): Promise<{ FailedEntryCount?: number }>
  }
}

declare module '@aws-sdk/client-elastic-load-balancing-v2' {
  export class ModifyRuleCommand {
    private readonly command: 'ModifyRule'
    constructor(input: { RuleArn: string; Actions: { Type: 'forward'; TargetGroupArn: string }[] })
  }
  export class ElasticLoadBalancingV2Client {
    constructor(options: object)
    send(command: ModifyRuleCommand): Promise<unknown>
  }
}
