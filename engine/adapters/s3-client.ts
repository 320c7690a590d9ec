import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import type { StoreAddress } from '../pool/messages.ts'

export type S3Address = Extract<StoreAddress, { kind: 's3' }>

export type Loaded = {
  /** Told not to retry: retrying-store.ts does, and knows how to go on in the middle of an object. */
  readonly client: S3Client
  /** With the SDK's own retries, for the parts of a streamed write, which nobody else still holds. */
  readonly uploading: S3Client
  readonly sdk: typeof import('@aws-sdk/client-s3')
}

const CONNECT_MS = 10_000
const UPLOAD_TRIES = 5

/** Load the SDK. `idleMs` bounds every silence of the server, also in the middle of a body. */
export async function loadSdk(address: S3Address, idleMs: number): Promise<Loaded> {
  const [sdk, { NodeHttpHandler }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@smithy/node-http-handler'),
  ])
  const config: S3ClientConfig = {
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_MS,
      socketTimeout: idleMs,
    }),
    // Our own digests are the check of what we read; the SDK's would throw after the last byte.
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(address.region === undefined ? {} : { region: address.region }),
    ...(address.endpoint === undefined ? {} : { endpoint: address.endpoint }),
    ...(address.forcePathStyle === undefined ? {} : { forcePathStyle: address.forcePathStyle }),
    ...(address.requestChecksums === undefined
      ? {}
      : { requestChecksumCalculation: address.requestChecksums }),
  }
  const client = new sdk.S3Client({ ...config, maxAttempts: 1 })
  askForStoredChecksums(client)
  return { client, uploading: new sdk.S3Client({ ...config, maxAttempts: UPLOAD_TRIES }), sdk }
}

/**
 * Ask for an object's stored checksum by hand: with the command's own ChecksumMode the SDK throws
 * on a mismatch, after the last byte, and a mismatch is a fact that the report has to state.
 */
function askForStoredChecksums(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => (args) => {
      if (context['commandName'] === 'GetObjectCommand' && hasHeaders(args.request))
        args.request.headers['x-amz-checksum-mode'] = 'ENABLED'
      return next(args)
    },
    { step: 'build', name: 'askForStoredChecksums' },
  )
}

/** Of a request or an answer as the SDK's middleware sees it: some have none. */
export function hasHeaders(message: unknown): message is { headers: Record<string, string> } {
  return typeof message === 'object' && message !== null && 'headers' in message
}
