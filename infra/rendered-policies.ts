import type { Template } from 'aws-cdk-lib/assertions'
import type { Statement } from './policy-evaluator.ts'

/**
 * Statements as they will be after deployment, each `Ref` and `GetAtt` replaced by a readable name:
 * a bucket's ARN becomes `arn:aws:s3:::<logical id>`.
 */
export function statementsOf(template: Template, type: string, logicalId: RegExp): Statement[] {
  return Object.entries(template.findResources(type))
    .filter(([id]) => logicalId.test(id))
    .flatMap(([, resource]) => {
      const { PolicyDocument } = resource['Properties'] as {
        PolicyDocument: { Statement: unknown[] }
      }
      return PolicyDocument.Statement.map((statement) => render(statement) as Statement)
    })
}

/** Resolve CloudFormation functions in a rendered template's value. */
export function render(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(render)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const [name, argument] = entries[0] ?? ['', undefined]
  if (entries.length === 1) {
    if (name === 'Ref') return refer(String(argument))
    if (name === 'Fn::GetAtt' && Array.isArray(argument)) return attribute(argument.map(String))
    if (name === 'Fn::Join' && Array.isArray(argument))
      return (render(argument[1]) as unknown[]).map(String).join(String(argument[0]))
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, render(inner)]))
}

function refer(name: string): string {
  const pseudo: Record<string, string> = {
    'AWS::Partition': 'aws',
    'AWS::Region': 'eu-west-2',
    'AWS::AccountId': '444455556666',
  }
  return pseudo[name] ?? name
}

function attribute([logicalId = '', name = '']: readonly string[]): string {
  if (name !== 'Arn') return `${logicalId}.${name}`
  return logicalId.startsWith('Buckets') && !logicalId.includes('Key')
    ? `arn:aws:s3:::${logicalId}`
    : logicalId.includes('Role')
      ? `arn:aws:iam::444455556666:role/${logicalId}`
      : `arn:aws:${logicalId}`
}
