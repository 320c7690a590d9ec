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
  noteTimeOfAnswers(client)
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

const answersWithTime = new WeakMap<object, Date>()
const TOLD_TIME = ['HeadObjectCommand', 'ListObjectsV2Command']

/** What time the server had when it gave this answer to a HEAD or a listing; undefined where it does not say. */
export function timeOfAnswer(output: object): Date | undefined {
  return answersWithTime.get(output)
}

/** The SDK's answers leave out the Date header, the only clock that all who use a bucket share. */
function noteTimeOfAnswers(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args)
      if (TOLD_TIME.includes(String(context['commandName'])) && hasHeaders(result.response)) {
        const time = new Date(result.response.headers['date'] ?? '')
        if (result.output !== undefined && !Number.isNaN(time.getTime()))
          answersWithTime.set(result.output, time)
      }
      return result
    },
    // High: around the middleware that makes the output.
    { step: 'deserialize', name: 'noteTimeOfAnswers', priority: 'high' },
  )
}

/** Of a request or an answer as the SDK's middleware sees it: some have none. */
function hasHeaders(message: unknown): message is { headers: Record<string, string> } {
  return typeof message === 'object' && message !== null && 'headers' in message
}
