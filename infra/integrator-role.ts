import { Stack } from 'aws-cdk-lib'
import { AccountPrincipal, ArnPrincipal, Effect, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import type { Buckets } from './buckets.ts'
import type { Integrator } from './settings.ts'

/**
 * What one integrator may do: write below its own prefix of its drop zone, and read its own
 * reports and `status.json`. It cannot read, list, tag or delete anything in a drop zone, not even
 * what it wrote: the API lists what has arrived.
 */
export class IntegratorRole extends Construct {
  readonly role: Role

  constructor(scope: Construct, id: string, integrator: Integrator, buckets: Buckets) {
    super(scope, id)
    const { name, zone, assumedBy, externalId } = integrator
    this.role = new Role(this, 'Role', {
      description: `Integrator ${name}: lands transfers in zone ${zone}, reads its own reports`,
      assumedBy: /^\d+$/.test(assumedBy)
        ? new AccountPrincipal(assumedBy)
        : new ArnPrincipal(assumedBy),
      ...(externalId === undefined ? {} : { externalIds: [externalId] }),
    })
    const landing = buckets.dropZone.arnForObjects(`${zone}/${name}/*`)
    const viaS3 = {
      StringEquals: { 'kms:ViaService': `s3.${Stack.of(this).region}.amazonaws.com` },
    }
    const statements: PolicyStatement[] = [
      new PolicyStatement({
        sid: 'Land',
        actions: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
        resources: [landing],
      }),
      new PolicyStatement({
        sid: 'EncryptWhatLands',
        // Decrypt: S3 asks for it when a multipart upload is put together.
        actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
        resources: [buckets.keys.dropZone.keyArn],
        conditions: viaS3,
      }),
      new PolicyStatement({
        sid: 'ReadOwnReports',
        actions: ['s3:GetObject'],
        resources: [buckets.reports.arnForObjects(`${name}/*`)],
      }),
      new PolicyStatement({
        sid: 'ListOwnReports',
        actions: ['s3:ListBucket'],
        resources: [buckets.reports.bucketArn],
        conditions: { StringLike: { 's3:prefix': `${name}/*` } },
      }),
      new PolicyStatement({
        sid: 'DecryptReports',
        actions: ['kms:Decrypt'],
        resources: [buckets.keys.reports.keyArn],
        conditions: viaS3,
      }),
      // Already not allowed; said again so that no policy added later can allow it.
      new PolicyStatement({
        sid: 'NeverTagOrDelete',
        effect: Effect.DENY,
        actions: [
          's3:PutObjectTagging',
          's3:PutObjectVersionTagging',
          's3:DeleteObjectTagging',
          's3:DeleteObjectVersionTagging',
          's3:DeleteObject',
          's3:DeleteObjectVersion',
        ],
        resources: [buckets.dropZone.arnForObjects('*'), buckets.reports.arnForObjects('*')],
      }),
    ]
    for (const statement of statements) this.role.addToPolicy(statement)
  }
}
