import { Stack } from 'aws-cdk-lib'
import type { ICluster } from 'aws-cdk-lib/aws-ecs'
import { PolicyStatement, type IRole } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { Buckets } from './buckets.ts'
import type { Queues } from './queues.ts'
import type { Zone } from './settings.ts'

const READ = ['s3:GetObject', 's3:GetObjectVersion']
const WRITE = ['s3:PutObject', 's3:AbortMultipartUpload']
const LIST = ['s3:ListBucket', 's3:ListBucketMultipartUploads']
const TAKE = [
  'sqs:ReceiveMessage',
  'sqs:DeleteMessage',
  'sqs:ChangeMessageVisibility',
  'sqs:GetQueueAttributes',
]

export type Surroundings = {
  readonly buckets: Buckets
  readonly queues: Queues
  readonly cluster: ICluster
  readonly zones: readonly Zone[]
}

/** `work` reads records with their tags, writes state and reports, and deletes no object anywhere. */
export function permitWork(role: IRole, { buckets, queues, cluster }: Surroundings): void {
  const { dropZone, state, reports, keys } = buckets
  allow(role, [...READ, 's3:GetObjectTagging', 's3:GetObjectVersionTagging'], objects(dropZone))
  allow(role, [...READ, ...WRITE], [...objects(state), ...objects(reports)])
  allow(role, LIST, [dropZone.bucketArn, state.bucketArn, reports.bucketArn])
  decrypt(role, [keys.dropZone])
  encrypt(role, [keys.state, keys.reports])
  allow(role, [...TAKE, 'sqs:SendMessage'], [queues.chunks.queueArn])
  allow(
    role,
    TAKE,
    queueArns(queues.doorbell, queues.deadLetters.chunks, queues.deadLetters.doorbell),
  )
  allow(
    role,
    ['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection'],
    [
      Stack.of(role).formatArn({
        service: 'ecs',
        resource: 'task',
        resourceName: `${cluster.clusterName}/*`,
      }),
    ],
  )
}

/**
 * `serve` presigns uploads and writes complete.json (a presigned URL can do no more than its
 * signer), lists what has arrived, records decisions in the state, and reads reports.
 */
export function permitServe(role: IRole, surroundings: Surroundings): void {
  const { buckets, queues, cluster, zones } = surroundings
  const { dropZone, state, reports, keys } = buckets
  const landing = zones.map(({ name }) => dropZone.arnForObjects(`${name}/*`))
  allow(role, [...WRITE, 's3:ListMultipartUploadParts', 's3:GetObject'], landing)
  allow(role, [...READ, ...WRITE], objects(state))
  allow(role, READ, objects(reports))
  allow(role, LIST, [dropZone.bucketArn, state.bucketArn, reports.bucketArn])
  encrypt(role, [keys.dropZone, keys.state])
  decrypt(role, [keys.reports])
  allow(role, ['sqs:GetQueueAttributes'], queueArns(queues.chunks, queues.doorbell))
  allow(
    role,
    ['ecs:DescribeServices'],
    [
      Stack.of(role).formatArn({
        service: 'ecs',
        resource: 'service',
        resourceName: `${cluster.clusterName}/*`,
      }),
    ],
  )
  // Application Auto Scaling's describe actions know no resources.
  allow(
    role,
    [
      'application-autoscaling:DescribeScalableTargets',
      'application-autoscaling:DescribeScheduledActions',
    ],
    ['*'],
  )
}

function allow(role: IRole, actions: string[], resources: string[]): void {
  role.addToPrincipalPolicy(new PolicyStatement({ actions, resources }))
}
function decrypt(role: IRole, keys: IKey[]): void {
  allow(
    role,
    ['kms:Decrypt'],
    keys.map(({ keyArn }) => keyArn),
  )
}
function encrypt(role: IRole, keys: IKey[]): void {
  allow(
    role,
    ['kms:GenerateDataKey', 'kms:Decrypt'],
    keys.map(({ keyArn }) => keyArn),
  )
}
function objects(bucket: Pick<IBucket, 'arnForObjects'>): string[] {
  return [bucket.arnForObjects('*')]
}
function queueArns(...queues: Pick<IQueue, 'queueArn'>[]): string[] {
  return queues.map(({ queueArn }) => queueArn)
}
