import { HANDED_OVER_TAG } from '../engine/model/tags.ts'
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { AnyPrincipal, ArnPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Key, type IKey } from 'aws-cdk-lib/aws-kms'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  CfnBucket,
  ObjectOwnership,
  type IBucket,
  type LifecycleRule,
} from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { Settings } from './settings.ts'

/** The tag that GuardDuty Malware Protection for S3 sets on what it has scanned. */
export const MALWARE_TAG = 'GuardDutyMalwareScanStatus'

const TAG_WRITES = ['s3:PutObjectTagging', 's3:PutObjectVersionTagging']
const TAG_DELETES = ['s3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging']

export type BucketsOptions = Pick<Settings, 'zones' | 'keyArns' | 'expireHandedOver'> & {
  /** GuardDuty's role, where it scans: the only one that may say what it found. */
  readonly malwareRoleArn?: string | undefined
}

/**
 * Drop zone, state and reports, each with its own key. Records, state and reports outlive the
 * stack, and nothing but the opt-in rule for handed-over records ever expires one.
 */
export class Buckets extends Construct {
  readonly dropZone: Bucket
  readonly state: Bucket
  readonly reports: Bucket
  readonly keys: { readonly dropZone: IKey; readonly state: IKey; readonly reports: IKey }
  /** Access logs of the other three, and of the load balancer. */
  readonly logs: Bucket

  constructor(scope: Construct, id: string, options: BucketsOptions) {
    super(scope, id)
    // Log delivery by bucket policy, not by the ACLs that the ownership setting switches off.
    this.node.setContext('@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy', true)
    this.logs = new Bucket(this, 'Logs', {
      ...PROTECTED,
      encryption: BucketEncryption.S3_MANAGED, // log delivery cannot write under a customer key
      lifecycleRules: [{ id: 'old-logs', expiration: Duration.days(400) }],
    })
    this.keys = {
      dropZone: this.#key('DropZoneKey', options.keyArns.dropZone),
      state: this.#key('StateKey', options.keyArns.state),
      reports: this.#key('ReportsKey', options.keyArns.reports),
    }
    this.dropZone = this.#bucket('DropZone', this.keys.dropZone, expiryRules(options))
    this.state = this.#bucket('State', this.keys.state, [])
    this.reports = this.#bucket('Reports', this.keys.reports, [])
    for (const bucket of [this.dropZone, this.reports]) sendEvents(bucket)
    this.#forbidOverwriting(options)
    this.#guardTags(options)
  }

  #key(id: string, arn: string | undefined): IKey {
    return arn === undefined
      ? new Key(this, id, { enableKeyRotation: true, removalPolicy: RemovalPolicy.RETAIN })
      : Key.fromKeyArn(this, id, arn)
  }

  #bucket(id: string, encryptionKey: IKey, lifecycleRules: LifecycleRule[]): Bucket {
    return new Bucket(this, id, {
      ...PROTECTED,
      encryption: BucketEncryption.KMS,
      encryptionKey,
      bucketKeyEnabled: true, // one KMS request in thousands instead of one an object
      versioned: true,
      serverAccessLogsBucket: this.logs as IBucket, // CDK ignores exactOptionalPropertyTypes
      serverAccessLogsPrefix: `${id.toLowerCase()}/`,
      lifecycleRules: [
        { id: 'multipart-leftovers', abortIncompleteMultipartUploadAfter: Duration.days(7) },
        ...lifecycleRules,
      ],
    })
  }

  #forbidOverwriting({ zones }: BucketsOptions): void {
    const resources = zones
      .filter(({ shape }) => shape === 'no-overwrite')
      .map(({ name }) => this.dropZone.arnForObjects(`${name}/*`))
    if (resources.length === 0) return
    this.dropZone.addToResourcePolicy(
      new PolicyStatement({
        sid: 'NoOverwrite',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:PutObject'],
        resources,
        // Parts carry no such header: only the request that makes an object appear has to. Both in
        // the S3 user guide, "Enforce conditional writes on Amazon S3 buckets".
        conditions: {
          Null: { 's3:if-none-match': 'true' },
          Bool: { 's3:ObjectCreationOperation': 'true' },
        },
      }),
    )
  }

  /**
   * A tag write replaces all tags of an object, so whoever may write any tag could drop or forge a
   * verdict. Hence nobody may but GuardDuty, and the role that marks what was handed over, which
   * has to carry the verdict along unchanged.
   */
  #guardTags({ malwareRoleArn, expireHandedOver }: BucketsOptions): void {
    const writers = [malwareRoleArn, expireHandedOver?.markedBy].filter((arn) => arn !== undefined)
    const except = (arns: readonly string[]) =>
      arns.length === 0 ? {} : { ArnNotEquals: { 'aws:PrincipalArn': [...arns] } }
    const deny = (sid: string, actions: string[], conditions: Record<string, unknown>) =>
      this.dropZone.addToResourcePolicy(
        new PolicyStatement({
          sid,
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions,
          resources: [this.dropZone.arnForObjects('*')],
          conditions,
        }),
      )
    deny('NoOneElseWritesTags', TAG_WRITES, except(writers))
    deny(
      'NoOneDeletesTags',
      TAG_DELETES,
      except(malwareRoleArn === undefined ? [] : [malwareRoleArn]),
    )
    deny('NoVerdictWithTheUpload', ['s3:PutObject'], {
      'ForAnyValue:StringEquals': { 's3:RequestObjectTagKeys': [MALWARE_TAG] },
    })
    if (expireHandedOver === undefined) return
    const marker = { ArnEquals: { 'aws:PrincipalArn': expireHandedOver.markedBy } }
    const existing = `s3:ExistingObjectTag/${MALWARE_TAG}`
    deny('VerdictCarriedAlong', TAG_WRITES, {
      ...marker,
      Null: { [existing]: 'false' },
      StringNotEquals: { [`s3:RequestObjectTag/${MALWARE_TAG}`]: `\${${existing}}` },
    })
    deny('NoVerdictMadeUp', TAG_WRITES, {
      ...marker,
      Null: { [existing]: 'true' },
      'ForAnyValue:StringEquals': { 's3:RequestObjectTagKeys': [MALWARE_TAG] },
    })
    this.dropZone.addToResourcePolicy(
      new PolicyStatement({
        sid: 'MarkHandedOver',
        principals: [new ArnPrincipal(expireHandedOver.markedBy)],
        actions: [...TAG_WRITES, 's3:GetObjectTagging', 's3:GetObjectVersionTagging'],
        resources: [this.dropZone.arnForObjects('*')],
      }),
    )
  }

  /** `s3://` addresses, as the engine's configuration names them. */
  get addresses(): {
    readonly state: string
    readonly reports: string
    readonly zone: (name: string) => string
  } {
    return {
      state: `s3://${this.state.bucketName}/`,
      reports: `s3://${this.reports.bucketName}/`,
      zone: (name) => `s3://${this.dropZone.bucketName}/${name}/`,
    }
  }
}

const PROTECTED = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: RemovalPolicy.RETAIN,
} as const

/** CDK's own way makes a function with rights over every bucket, to set one property. */
function sendEvents(bucket: Bucket): void {
  const resource = bucket.node.defaultChild
  if (!(resource instanceof CfnBucket)) throw new Error('bug: a bucket without its resource')
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } }
}

function expiryRules({ expireHandedOver }: BucketsOptions): LifecycleRule[] {
  if (expireHandedOver === undefined) return []
  const { afterDays } = expireHandedOver
  return [
    {
      id: 'handed-over-and-verified',
      tagFilters: { [HANDED_OVER_TAG.key]: HANDED_OVER_TAG.value },
      expiration: Duration.days(afterDays),
      noncurrentVersionExpiration: Duration.days(afterDays),
    },
  ]
}
