import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { readSettings, type Settings } from './settings.ts'
import { WharfingerStack } from './wharfinger-stack.ts'

/** Everything that can be chosen, chosen; for tests. */
export const fullSettings: Partial<Settings> = {
  image: { repository: 'wharfinger', tag: '1.2.3' },
  zones: [
    { name: 'transfers', shape: 'no-overwrite' },
    { name: 'folders', shape: 'copied-folders' },
  ],
  integrators: [
    { name: 'sharepoint', zone: 'transfers', assumedBy: '111122223333', externalId: 'agreed' },
    {
      name: 'network-drive',
      zone: 'folders',
      assumedBy: 'arn:aws:iam::111122223333:role/connector',
    },
  ],
  malwareScan: true,
  expireHandedOver: { afterDays: 30, markedBy: 'arn:aws:iam::444455556666:role/hand-over' },
  api: {
    certificateArn: 'arn:aws:acm:eu-west-2:444455556666:certificate/0',
    url: 'https://wharfinger.example.org',
    webAclArn: 'arn:aws:wafv2:eu-west-2:444455556666:regional/webacl/callers/0',
    allowFrom: ['203.0.113.0/24'],
  },
  vpc: {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-west-2a', 'eu-west-2b'],
    publicSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  },
  alarmEmail: 'operators@example.org',
}

/** The engine alone, in a VPC of its own. */
export const smallSettings: Partial<Settings> = {
  image: { repository: 'wharfinger', tag: '1.2.3' },
  zones: [{ name: 'folders', shape: 'copied-folders' }],
}

/** CDK's validator takes seconds and has its run in the release check, so not here. */
export function synthesise(settings: Partial<Settings>): {
  readonly app: App
  readonly stack: WharfingerStack
  readonly template: Template
} {
  const app = new App({ builtinCloudFormationValidation: false })
  const stack = new WharfingerStack(app, 'Wharfinger', readSettings(settings))
  return { app, stack, template: Template.fromStack(stack) }
}
