import { App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { acknowledge } from './acknowledgements.ts'
import { describeEgress } from './egress.ts'
import { readSettings, type Settings } from './settings.ts'
import { WharfingerStack } from './wharfinger-stack.ts'

const app = new App()
const settings = readSettings(app.node.getContext('wharfinger') as Partial<Settings>)
const stack = new WharfingerStack(app, 'Wharfinger', settings)
Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
acknowledge(stack, settings)

const tasks = settings.api === undefined ? 1 : 2
const zones = settings.vpc?.availabilityZones.length ?? 2
process.stderr.write(`${describeEgress(settings.egress, tasks, zones)}\n`)
