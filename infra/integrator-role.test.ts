import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { evaluate, type Answer, type Request } from './policy-evaluator.ts'
import { statementsOf } from './rendered-policies.ts'
import { fullSettings, synthesise } from './sample-deployment.ts'

const { template } = synthesise(fullSettings)
const role = statementsOf(template, 'AWS::IAM::Policy', /^Integratorsharepoint/)
const dropZonePolicy = statementsOf(template, 'AWS::S3::BucketPolicy', /^BucketsDropZone/)
const bucketIds = Object.keys(template.findResources('AWS::S3::Bucket'))
const bucket = (name: string) =>
  `arn:aws:s3:::${bucketIds.find((id) => id.startsWith(`Buckets${name}`)) ?? ''}`
const keyIds = Object.keys(template.findResources('AWS::KMS::Key'))
const key = (name: string) =>
  `arn:aws:${keyIds.find((id) => id.startsWith(`Buckets${name}`)) ?? ''}`
const own = `${bucket('DropZone')}/transfers/sharepoint/t1/records/a`

const ENCRYPTED = { 'aws:securetransport': 'true', 's3:tlsversion': '1.3' }
const CREATION = { 's3:objectcreationoperation': 'true' }
const ONCE = { ...CREATION, 's3:if-none-match': '*' }

function may(action: string, resource: string, context: Request['context'] = {}): Answer {
  const request: Request = {
    principal: 'arn:aws:iam::444455556666:role/sharepoint',
    action,
    resource,
    context: { ...ENCRYPTED, ...context },
  }
  // A bucket policy allows an integrator nothing: its own policy does, and both may deny.
  return evaluate([...role, ...dropZonePolicy], request)
}

const test = suite('what an integrator may do')

test('it writes below its own prefix, each key once', () => {
  assert.equal(may('s3:PutObject', own, ONCE), 'allowed')
  assert.equal(may('s3:PutObject', own, CREATION), 'denied', 'without If-None-Match')
})

test('it uploads in parts, whose requests carry no If-None-Match', () => {
  assert.equal(may('s3:PutObject', own, { 's3:objectcreationoperation': 'false' }), 'allowed')
  assert.equal(may('s3:AbortMultipartUpload', own), 'allowed')
  assert.equal(may('s3:ListMultipartUploadParts', own), 'allowed')
})

test('it writes nowhere else', () => {
  for (const resource of [
    `${bucket('DropZone')}/transfers/sharepoint2/t1/records/a`,
    `${bucket('DropZone')}/transfers/network-drive/t1/records/a`,
    `${bucket('DropZone')}/folders/sharepoint/t1/records/a`,
    `${bucket('DropZone')}/transfers/complete.json`,
    `${bucket('State')}/sharepoint/a`,
    `${bucket('State')}/lifecycle/windows.json`,
    `${bucket('Reports')}/sharepoint/status.json`,
    `${bucket('Logs')}/sharepoint/a`,
  ])
    assert.equal(may('s3:PutObject', resource, ONCE), 'not allowed', resource)
})

test('it can neither tag nor delete, not even what it wrote itself', () => {
  for (const action of [
    's3:PutObjectTagging',
    's3:PutObjectVersionTagging',
    's3:DeleteObjectTagging',
    's3:DeleteObjectVersionTagging',
    's3:DeleteObject',
    's3:DeleteObjectVersion',
  ])
    assert.equal(may(action, own), 'denied', action)
})

test('an upload that brings its own malware verdict is refused', () => {
  const tagged = { ...ONCE, 's3:requestobjecttagkeys': ['GuardDutyMalwareScanStatus'] }
  assert.equal(may('s3:PutObject', own, tagged), 'denied')
})

test('it reads no record, not even its own', () => {
  for (const action of ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectTagging'])
    assert.equal(may(action, own), 'not allowed', action)
  assert.equal(may('s3:ListBucket', bucket('DropZone')), 'not allowed')
})

test('it reads its own reports and status, and lists them, but nobody else’s', () => {
  const reports = bucket('Reports')
  assert.equal(may('s3:GetObject', `${reports}/sharepoint/teams/t1/status.json`), 'allowed')
  assert.equal(
    may('s3:GetObject', `${reports}/sharepoint/WHF-2026-A/attempt-1/version-1/delivered.json`),
    'allowed',
  )
  assert.equal(may('s3:GetObject', `${reports}/network-drive/teams/t1/status.json`), 'not allowed')
  assert.equal(may('s3:ListBucket', reports, { 's3:prefix': 'sharepoint/' }), 'allowed')
  assert.equal(may('s3:ListBucket', reports, { 's3:prefix': 'network-drive/' }), 'not allowed')
  assert.equal(may('s3:ListBucket', reports, { 's3:prefix': '' }), 'not allowed')
  assert.equal(may('s3:ListBucket', reports), 'not allowed')
})

test('its keys open only through S3, and never the state', () => {
  const viaS3 = { 'kms:viaservice': 's3.eu-west-2.amazonaws.com' }
  assert.equal(may('kms:GenerateDataKey', key('DropZoneKey'), viaS3), 'allowed')
  assert.equal(may('kms:Decrypt', key('ReportsKey'), viaS3), 'allowed')
  assert.equal(may('kms:Decrypt', key('ReportsKey')), 'not allowed')
  assert.equal(may('kms:GenerateDataKey', key('ReportsKey'), viaS3), 'not allowed')
  assert.equal(may('kms:Decrypt', key('StateKey'), viaS3), 'not allowed')
})

test('without TLS everything is refused', () => {
  assert.equal(may('s3:PutObject', own, { ...ONCE, 'aws:securetransport': 'false' }), 'denied')
  assert.equal(may('s3:PutObject', own, { ...ONCE, 's3:tlsversion': '1.1' }), 'denied')
})

test('of everything else that S3, KMS, SQS, ECS and IAM offer it is allowed nothing', () => {
  const everything = [
    ...new Set(role.flatMap(({ Effect, Action }) => (Effect === 'Allow' ? Action : []))),
  ]
  assert.deepEqual(everything.sort(), [
    'kms:Decrypt',
    'kms:GenerateDataKey',
    's3:AbortMultipartUpload',
    's3:GetObject',
    's3:ListBucket',
    's3:ListMultipartUploadParts',
    's3:PutObject',
  ])
})

test('it is assumed by the named account, with the external id that was agreed', () => {
  const roles = Object.entries(template.findResources('AWS::IAM::Role')).filter(([id]) =>
    id.startsWith('Integratorsharepoint'),
  )
  assert.match(JSON.stringify(roles), /"sts:ExternalId":"agreed"/)
  assert.match(JSON.stringify(roles), /:iam::111122223333:root/)
})

test.run()
