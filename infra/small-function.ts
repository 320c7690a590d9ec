import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Duration } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { buildSync } from 'esbuild'

export type SmallFunctionOptions = {
  /** File name in infra/lambda/, without its ending. */
  readonly entry: string
  readonly description: string
  readonly environment: Readonly<Record<string, string>>
  readonly timeout?: Duration
}

/**
 * A Lambda function bundled from one file at synthesis, with a role that can write its own log and
 * nothing else until more is granted. The AWS SDK is the one that Lambda's runtime brings.
 */
export class SmallFunction extends Construct {
  readonly fn: Function
  readonly logs: LogGroup

  constructor(scope: Construct, id: string, options: SmallFunctionOptions) {
    super(scope, id)
    this.logs = new LogGroup(this, 'Logs', { retention: RetentionDays.SIX_MONTHS })
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    })
    this.logs.grantWrite(role)
    const bundled = bundle(options.entry)
    this.fn = new Function(this, 'Function', {
      description: options.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(bundled),
      memorySize: 256,
      timeout: options.timeout ?? Duration.seconds(30),
      environment: { ...options.environment },
      logGroup: this.logs,
      role,
    })
    rmSync(bundled, { recursive: true }) // CDK has its own copy by now
  }

  permit(actions: string[], resources: string[]): void {
    this.fn.addToRolePolicy(new PolicyStatement({ actions, resources }))
  }
}

/** Sources and compiled files lie side by side with their own kind, so the ending is ours. */
function bundle(entry: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-lambda-'))
  buildSync({
    entryPoints: [
      fileURLToPath(new URL(`lambda/${entry}${extname(import.meta.url)}`, import.meta.url)),
    ],
    outfile: join(folder, 'index.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    external: ['@aws-sdk/*'],
    logLevel: 'error',
  })
  return folder
}
