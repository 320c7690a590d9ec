import type { ServiceContext } from './context.ts'

/** The names of TDR's integrations, and Google Drive, which TDR has none for. */
export const sourceSystems = ['sharepoint', 'networkdrive', 'harddrive', 'googledrive'] as const
export type SourceSystem = (typeof sourceSystems)[number]

const MB = 1_000_000

/** What TDR's clients are told before they begin; field names are TDR's. */
export function transferConfiguration({ config, zone }: ServiceContext, source: SourceSystem) {
  const { limits } = config.service
  return {
    maxNumberRecords: limits.records,
    maxIndividualFileSizeMb: Math.floor(
      Math.min(limits.fileBytes, zone.settings.maxFileBytes) / MB,
    ),
    maxTransferSizeMb: Math.floor(limits.transferBytes / MB),
    disallowedFileExtensions: [],
    disallowedFileNames: zone.settings.excludedNames.map((name) => ({ ...name })),
    metadataPropertyDetails: source === 'sharepoint' ? SHAREPOINT_PROPERTIES : [],
    customMetadataConfiguration: { required: false },
    display: [],
    s3PutRequestHeaders: [{ headerName: 'If-None-Match', headerValue: '*' }],
  }
}

/** What the sidecar of a SharePoint record has to say. */
const SHAREPOINT_PROPERTIES = [
  'matchId',
  'transferId',
  'source',
  'Modified',
  'SHA256ClientSideChecksum',
  'Length',
  'FileRef',
  'FileLeafRef',
].map((propertyName) => ({ propertyName, required: true, displayName: '' }))

/** Where a transfer's records or metadata go; a folder has no region and no bucket of S3. */
export function loadDestination(
  { zone }: ServiceContext,
  prefix: string,
  part: 'records' | 'metadata',
) {
  const { store } = zone
  const bucketName = store.kind === 's3' ? store.bucket : zone.name
  const before = store.kind === 's3' ? store.prefix : ''
  return {
    awsRegion: store.kind === 's3' ? (store.region ?? '') : '',
    bucketArn: store.kind === 's3' ? `arn:aws:s3:::${bucketName}` : '',
    bucketName,
    bucketKeyPrefix: `${before}${prefix}${part}`,
  }
}
