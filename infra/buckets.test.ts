import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { evaluate, type Request } from './policy-evaluator.ts'
import { statementsOf } from './rendered-policies.ts'
import { fullSettings, smallSettings, synthesise } from './sample-deployment.ts'

const { template } = synthesise(fullSettings)
const small = synthesise(smallSettings).template
const buckets = Object.entries(template.findResources('AWS::S3::Bucket'))
const dropZoneId = buckets.find(([id]) => id.startsWith('BucketsDropZone'))?.[0] ?? ''
const dropZone = `arn:aws:s3:::${dropZoneId}`
const guardDutyId = Object.keys(template.findResources('AWS::IAM::Role')).find((id) =>
  id.startsWith('MalwareScanRole'),
)
const GUARDDUTY = `arn:aws:iam::444455556666:role/${guardDutyId ?? ''}`
const HAND_OVER = 'arn:aws:iam::444455556666:role/hand-over'
const ADMINISTRATOR = 'arn:aws:iam::444455556666:role/administrator'
const MALWARE = 'GuardDutyMalwareScanStatus'

const policy = statementsOf(template, 'AWS::S3::BucketPolicy', /^BucketsDropZone/)
/** Somebody whose own policy allows everything: what is left is what the bucket refuses. */
const ALLOW_ALL = { Effect: 'Allow', Action: '*', Resource: '*' }

function refused(
  principal: string,
  action: string,
  context: Request['context'] = {},
  key = 'folders/a/t/records/b',
) {
  const encrypted = { 'aws:securetransport': 'true', 's3:tlsversion': '1.3' }
  const request = {
    principal,
    action,
    resource: `${dropZone}/${key}`,
    context: { ...encrypted, ...context },
  }
  return evaluate([ALLOW_ALL, ...policy], request) === 'denied'
}
const tags = (given: Record<string, string>, existing: Record<string, string> = {}) => ({
  's3:requestobjecttagkeys': Object.keys(given),
  ...Object.fromEntries(
    Object.entries(given).map(([key, value]) => [
      `s3:requestobjecttag/${key}`.toLowerCase(),
      value,
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(existing).map(([key, value]) => [
      `s3:existingobjecttag/${key}`.toLowerCase(),
      value,
    ]),
  ),
})

const test = suite('buckets')

test('no stack ever destroys a bucket or a key', () => {
  for (const type of ['AWS::S3::Bucket', 'AWS::KMS::Key'])
    for (const [id, resource] of Object.entries(template.findResources(type))) {
      assert.equal(resource['DeletionPolicy'], 'Retain', id)
      assert.equal(resource['UpdateReplacePolicy'], 'Retain', id)
    }
})

test('drop zone, state and reports have a key each, with bucket keys, and are versioned', () => {
  const keys = new Set<string>()
  for (const name of ['DropZone', 'State', 'Reports']) {
    const properties = buckets.find(([id]) => id.startsWith(`Buckets${name}`))?.[1]['Properties']
    const rule = properties.BucketEncryption.ServerSideEncryptionConfiguration[0]
    assert.equal(rule.BucketKeyEnabled, true)
    assert.equal(rule.ServerSideEncryptionByDefault.SSEAlgorithm, 'aws:kms')
    keys.add(JSON.stringify(rule.ServerSideEncryptionByDefault.KMSMasterKeyID))
    assert.deepEqual(properties.VersioningConfiguration, { Status: 'Enabled' })
  }
  assert.equal(keys.size, 3)
})

test('no bucket can become public, and ACLs are off', () => {
  for (const [id, { Properties }] of buckets) {
    assert.deepEqual(
      Properties.PublicAccessBlockConfiguration,
      {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      id,
    )
    assert.equal(Properties.OwnershipControls.Rules[0].ObjectOwnership, 'BucketOwnerEnforced', id)
  }
})

test('each bucket refuses requests without TLS 1.2', () => {
  const policies = Object.values(template.findResources('AWS::S3::BucketPolicy'))
  assert.equal(policies.length, buckets.length)
  for (const one of policies) {
    const text = JSON.stringify(one)
    assert.match(text, /"aws:SecureTransport":"false"/)
    assert.match(text, /"s3:TlsVersion":1.2/)
  }
})

test('leftovers of multipart uploads go, and nothing else expires unless asked for', () => {
  for (const [id, { Properties }] of Object.entries(small.findResources('AWS::S3::Bucket'))) {
    if (id.startsWith('BucketsLogs')) continue
    const rules: Record<string, unknown>[] = Properties.LifecycleConfiguration.Rules
    assert.deepEqual(
      rules.map((rule) => Object.keys(rule).sort()),
      [['AbortIncompleteMultipartUpload', 'Id', 'Status']],
      id,
    )
  }
})

test('asked for, only records tagged as handed over and verified expire, and only in the drop zone', () => {
  for (const [id, { Properties }] of buckets) {
    if (id.startsWith('BucketsLogs')) continue
    const expiring = Properties.LifecycleConfiguration.Rules.filter(
      (rule: Record<string, unknown>) =>
        Object.keys(rule).some((name) => /Expiration|Transition/.test(name)),
    )
    assert.equal(expiring.length, id === dropZoneId ? 1 : 0, id)
    for (const rule of expiring)
      assert.deepEqual(rule.TagFilters, [{ Key: 'wharfinger:handed-over', Value: 'verified' }])
  }
})

test('a zone of the transfer service takes each key once, from anybody', () => {
  const whole = { 's3:objectcreationoperation': 'true' }
  assert.ok(refused(ADMINISTRATOR, 's3:PutObject', whole, 'transfers/a/t/records/b'))
  assert.ok(
    !refused(
      ADMINISTRATOR,
      's3:PutObject',
      { ...whole, 's3:if-none-match': '*' },
      'transfers/a/t/records/b',
    ),
  )
  assert.ok(
    !refused(
      ADMINISTRATOR,
      's3:PutObject',
      { 's3:objectcreationoperation': 'false' },
      'transfers/a/t/records/b',
    ),
  )
})

test('into a zone of copied folders a file can be copied again', () => {
  assert.ok(!refused(ADMINISTRATOR, 's3:PutObject', { 's3:objectcreationoperation': 'true' }))
})

test('only GuardDuty sets, changes or removes a malware verdict, whatever else somebody may', () => {
  const verdict = tags({ [MALWARE]: 'NO_THREATS_FOUND' })
  for (const action of ['s3:PutObjectTagging', 's3:PutObjectVersionTagging']) {
    assert.ok(refused(ADMINISTRATOR, action, verdict), action)
    assert.ok(
      refused(ADMINISTRATOR, action, tags({ other: 'x' }, { [MALWARE]: 'THREATS_FOUND' })),
      'replacing all tags drops it',
    )
    assert.ok(!refused(GUARDDUTY, action, verdict), action)
  }
  for (const action of ['s3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging']) {
    assert.ok(refused(ADMINISTRATOR, action), action)
    assert.ok(refused(HAND_OVER, action), action)
  }
  assert.ok(refused(ADMINISTRATOR, 's3:PutObject', verdict), 'with the upload')
})

test('who marks a record as handed over carries its verdict along unchanged', () => {
  const handedOver = { 'wharfinger:handed-over': 'verified' }
  const mark = (given: Record<string, string>, existing: Record<string, string>) =>
    !refused(HAND_OVER, 's3:PutObjectVersionTagging', tags(given, existing))
  const clean = { [MALWARE]: 'NO_THREATS_FOUND' }
  assert.ok(mark(handedOver, {}), 'never scanned')
  assert.ok(mark({ ...handedOver, ...clean }, clean), 'carried along')
  assert.ok(!mark({ ...handedOver, ...clean }, {}), 'made up')
  assert.ok(!mark({ ...handedOver, ...clean }, { [MALWARE]: 'THREATS_FOUND' }), 'changed')
  assert.ok(!mark(handedOver, clean), 'dropped')
})

test('without GuardDuty and without hand-over nobody at all writes tags', () => {
  const statements = statementsOf(small, 'AWS::S3::BucketPolicy', /^BucketsDropZone/)
  const request = {
    principal: ADMINISTRATOR,
    action: 's3:PutObjectTagging',
    resource: 'arn:aws:s3:::x',
    context: {},
  }
  const resource =
    [
      statements.find(({ Action }) => Action.includes('s3:PutObjectTagging'))?.Resource ?? '',
    ].flat()[0] ?? ''
  assert.equal(evaluate([ALLOW_ALL, ...statements], { ...request, resource }), 'denied')
})

test('drop zone and reports tell EventBridge what was created', () => {
  for (const [id, { Properties }] of buckets) {
    const tells =
      Properties.NotificationConfiguration?.EventBridgeConfiguration?.EventBridgeEnabled === true
    assert.equal(tells, /^Buckets(DropZone|Reports)/.test(id), id)
  }
})

test.run()
