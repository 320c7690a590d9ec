import assert from 'node:assert/strict'
import { Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { suite } from 'uvu'
import { acknowledge } from './acknowledgements.ts'
import { fullSettings, smallSettings, synthesise } from './sample-deployment.ts'
import { readSettings, type Settings } from './settings.ts'

const test = suite('AWS Solutions checks')

const failing = (app: ReturnType<typeof synthesise>['app']) =>
  new Set(new AwsSolutionsChecks(app).validateScope(app).violations.map(({ ruleName }) => ruleName))

const deployments: [string, Partial<Settings>][] = [
  ['everything chosen', fullSettings],
  ['the engine alone', smallSettings],
]
for (const [name, settings] of deployments) {
  test(`${name}: each finding is acknowledged with its reason, and nothing that is none`, () => {
    const { app, stack } = synthesise(settings)
    const found = failing(app)
    acknowledge(stack, readSettings(settings))
    assert.deepEqual([...failing(app)], [])
    const acknowledged = stack.node
      .findAll()
      .flatMap(({ node }) => node.metadata)
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    assert.ok(acknowledged.length > 0)
    assert.ok(found.size > 5, 'the pack has looked')
  })
}

test.run()
