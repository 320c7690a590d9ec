import { priceUsd, shippedPriceBook } from '../lifecycle/price-book.ts'

/** How tasks reach the AWS APIs. None of them lets anybody reach a task. */
export const egressChoices = ['public-address', 'endpoints', 'nat'] as const
export type EgressChoice = (typeof egressChoices)[number]

/** US dollars in eu-west-2: by the hour, and a NAT gateway's traffic by the GB. */
const price = (item: string): number => priceUsd(shippedPriceBook, item, 'eu-west-2')
const PRICES = {
  publicAddress: price('public-address'),
  endpointInOneZone: price('interface-endpoint'),
  natGateway: price('nat-gateway'),
  natTraffic: price('nat-traffic'),
} as const

const HOURS_A_YEAR = 8760

/** What a task calls besides S3, whose gateway endpoint is free. Nothing outside AWS is reachable. */
export const endpointServices = [
  'ecr.api',
  'ecr.dkr',
  'logs',
  'sqs',
  'ecs', // task protection
  'application-autoscaling', // the dashboard's state of the schedule
] as const

export type EgressCost = {
  readonly choice: EgressChoice
  readonly yearlyUsd: number
  /** The share that is paid while no task runs. */
  readonly yearlyUsdAsleep: number
  readonly remark: string
}

/**
 * What each choice costs a year with `tasks` running all the time in `zones` availability zones;
 * cheapest first. Traffic is not in it.
 */
export function egressCosts(tasks: number, zones: number): readonly EgressCost[] {
  const endpoints = PRICES.endpointInOneZone * endpointServices.length * zones * HOURS_A_YEAR
  const nat = PRICES.natGateway * zones * HOURS_A_YEAR
  const costs: EgressCost[] = [
    {
      choice: 'public-address',
      yearlyUsd: PRICES.publicAddress * tasks * HOURS_A_YEAR,
      yearlyUsdAsleep: 0,
      remark: 'paid only while a task runs; its security group lets nobody in',
    },
    {
      choice: 'endpoints',
      yearlyUsd: endpoints,
      yearlyUsdAsleep: endpoints,
      remark: 'no way to the internet at all, so no outside identity provider either',
    },
    {
      choice: 'nat',
      yearlyUsd: nat,
      yearlyUsdAsleep: nat,
      remark: `and ${PRICES.natTraffic} for each GB that does not go to S3; nothing extra where the VPC has them already`,
    },
  ]
  return costs.sort((a, b) => a.yearlyUsd - b.yearlyUsd)
}

/** The lines that `cdk synth` prints. */
export function describeEgress(chosen: EgressChoice, tasks: number, zones: number): string {
  const lines = egressCosts(tasks, zones).map(
    ({ choice, yearlyUsd, yearlyUsdAsleep, remark }) =>
      `  ${choice === chosen ? '>' : ' '} ${choice.padEnd(15)} $${yearlyUsd.toFixed(0).padStart(5)} a year, $${yearlyUsdAsleep.toFixed(0)} of it if always asleep (${remark})`,
  )
  return [`Egress for ${tasks} tasks in ${zones} availability zones, never asleep:`, ...lines].join(
    '\n',
  )
}
