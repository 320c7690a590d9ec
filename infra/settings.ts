import { egressChoices, type EgressChoice } from './egress.ts'

/** The part of a bucket that one kind of sender writes to. */
export type Zone = {
  readonly name: string
  /**
   * no-overwrite: a key can be written once, as TDR's transfer service does it. copied-folders: a
   * file may be copied again, as people do; there the versions pinned at sealing protect.
   */
  readonly shape: 'no-overwrite' | 'copied-folders'
}

export type Integrator = {
  readonly name: string
  readonly zone: string
  /** Who may become this integrator: the ARN of a role or user, or an account id. */
  readonly assumedBy: string
  /** Against the confused deputy, where somebody else's software assumes the role. */
  readonly externalId?: string
}

export type ExistingVpc = {
  readonly vpcId: string
  readonly availabilityZones: readonly string[]
  readonly publicSubnetIds?: readonly string[]
  readonly privateSubnetIds?: readonly string[]
  readonly cidr?: string
}

/** Everything an operator chooses; `context.wharfinger` in cdk.json. */
export type Settings = {
  readonly region: string
  /** An image in ECR of the same account: repository name and tag. */
  readonly image: { readonly repository: string; readonly tag: string }
  readonly architecture: 'ARM64' | 'X86_64'
  readonly workCpu: number
  readonly workMemoryMiB: number
  readonly scratchGiB: number
  /** No more tasks of `work` than this, whatever waits. */
  readonly maxTasks: number
  readonly zones: readonly Zone[]
  readonly integrators: readonly Integrator[]
  readonly egress: EgressChoice
  readonly vpc?: ExistingVpc
  readonly keyArns: {
    readonly dropZone?: string
    readonly state?: string
    readonly reports?: string
  }
  /** GuardDuty Malware Protection for S3: priced by the gigabyte. */
  readonly malwareScan: boolean
  /** Only who is named here may mark a record as handed over; without this nothing ever expires. */
  readonly expireHandedOver?: { readonly afterDays: number; readonly markedBy: string }
  /** Without it there is no load balancer and no `serve`: the engine alone. */
  readonly api?: {
    readonly certificateArn: string
    readonly url: string
    readonly webAclArn?: string
    readonly allowFrom: readonly string[]
  }
  readonly alarmEmail?: string
  readonly monthlyBudgetUsd: number
  /** Where docs/howto/on-call.md can be read. */
  readonly runbookUrl: string
}

/** Every default in one place, each with its reason. */
const DEFAULTS = {
  region: 'eu-west-2',
  architecture: 'ARM64', // 20 % cheaper than X86_64 for the same vCPU
  workCpu: 2048,
  workMemoryMiB: 4096,
  scratchGiB: 21, // the least that Fargate lets one ask for; 20 are free
  maxTasks: 4,
  egress: 'public-address', // egress.test.ts holds it to be the cheapest
  malwareScan: false,
  monthlyBudgetUsd: 100,
  runbookUrl: 'docs/howto/on-call.md',
} as const satisfies Partial<Settings>

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/
const ARN = /^arn:[a-z-]+:iam::\d{12}:(role|user)\/[\w+=,.@/-]+$/
const PRINCIPAL = /^\d{12}$|^arn:[a-z-]+:iam::\d{12}:(root|(role|user)\/[\w+=,.@/-]+)$/

/** Read `context.wharfinger`. Throws one error that lists every problem found. */
export function readSettings(given: Partial<Settings>): Settings {
  const problems: string[] = []
  const settings: Settings = {
    ...DEFAULTS,
    keyArns: {},
    zones: [],
    integrators: [],
    image: { repository: '', tag: '' },
    ...given,
  }
  const names: readonly string[] = SETTING_NAMES
  for (const name of Object.keys(given))
    if (!names.includes(name))
      problems.push(`\`${name}\` is not a setting; there are ${names.join(', ')}`)
  if (!/^[a-z0-9][a-z0-9._/-]+$/.test(settings.image.repository) || settings.image.tag === '')
    problems.push('`image` needs an ECR `repository` and a `tag`')
  if (settings.image.tag === 'latest')
    problems.push('`image.tag` must not be `latest`: a rollback would run the same broken image')
  if (settings.zones.length === 0) problems.push('`zones` needs at least one drop zone')
  for (const { name, shape } of settings.zones) {
    if (!NAME.test(name)) problems.push(`zone \`${name}\`: small letters, digits and hyphens`)
    if (shape !== 'no-overwrite' && shape !== 'copied-folders')
      problems.push(`zone \`${name}\`: \`shape\` is no-overwrite or copied-folders`)
  }
  for (const { name, zone, assumedBy } of settings.integrators) {
    if (!NAME.test(name)) problems.push(`integrator \`${name}\`: small letters, digits and hyphens`)
    if (!settings.zones.some((one) => one.name === zone))
      problems.push(`integrator \`${name}\` is in zone \`${zone}\`, which is not there`)
    if (!PRINCIPAL.test(assumedBy))
      problems.push(
        `integrator \`${name}\`: \`assumedBy\` is an account id or the ARN of a role or user`,
      )
  }
  problems.push(...twice(settings.zones.map(({ name }) => `zone \`${name}\``)))
  problems.push(...twice(settings.integrators.map(({ name }) => `integrator \`${name}\``)))
  if (!Number.isInteger(settings.maxTasks) || settings.maxTasks < 1 || settings.maxTasks > 100)
    problems.push('`maxTasks` is a whole number from 1 to 100')
  if (settings.scratchGiB < 21 || settings.scratchGiB > 200)
    problems.push('`scratchGiB` is from 21 to 200')
  if (!egressChoices.includes(settings.egress))
    problems.push(`\`egress\` is one of ${egressChoices.join(', ')}`)
  if (settings.vpc !== undefined) problems.push(...subnetProblems(settings.vpc, settings))
  if (settings.expireHandedOver !== undefined && !ARN.test(settings.expireHandedOver.markedBy))
    problems.push('`expireHandedOver.markedBy` is the ARN of the role that records hand-overs')
  if (problems.length > 0)
    throw new Error(`The settings in cdk.json cannot be used:\n  ${problems.join('\n  ')}`)
  return settings
}

const SETTING_NAMES = [
  'region',
  'image',
  'architecture',
  'workCpu',
  'workMemoryMiB',
  'scratchGiB',
  'maxTasks',
  'zones',
  'integrators',
  'egress',
  'vpc',
  'keyArns',
  'malwareScan',
  'expireHandedOver',
  'api',
  'alarmEmail',
  'monthlyBudgetUsd',
  'runbookUrl',
] as const satisfies readonly (keyof Settings)[]

function subnetProblems(vpc: ExistingVpc, settings: Settings): string[] {
  const zones = vpc.availabilityZones.length
  const problems: string[] = []
  const fits = (ids: readonly string[] | undefined) =>
    ids !== undefined && ids.length > 0 && ids.length % zones === 0
  const tasksIn = settings.egress === 'public-address' ? 'publicSubnetIds' : 'privateSubnetIds'
  if (!fits(vpc[tasksIn]))
    problems.push(
      `\`vpc.${tasksIn}\`: egress by ${settings.egress} needs one in each availability zone`,
    )
  if (settings.api !== undefined && !fits(vpc.publicSubnetIds))
    problems.push('`vpc.publicSubnetIds`: the load balancer needs one in each availability zone')
  if (settings.egress === 'endpoints' && vpc.cidr === undefined)
    problems.push('`vpc.cidr`: the endpoints are opened to it')
  return problems
}

function twice(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map(
    (name) => `there are two of ${name}`,
  )
}
