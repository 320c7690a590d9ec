import { StoreError, type StoreErrorReason } from './store.ts'

/**
 * The one place where an SDK or network error becomes a StoreError. Anything that is neither is a
 * bug and comes back as it is.
 */
export function s3ErrorFor(error: unknown, key: string): unknown {
  if (error instanceof StoreError) return error
  if (!(error instanceof Error)) return error
  if (error.name === 'AbortError')
    return new StoreError('aborted', key, 'stopped by the caller', { cause: error })
  const status = httpStatus(error)
  const reason = reasonFor(error, status, networkCode(error))
  if (reason === undefined) return error
  const known = setUpTexts.find(([pattern]) => pattern.test(`${error.name}: ${error.message}`))
  const told =
    known?.[1] ??
    `${texts[reason] ?? ''} (${error.name}${status === undefined ? '' : ` ${status}`})`
  return new StoreError(reason, key, key === '' ? told : `${key}: ${told}`, { cause: error })
}

function reasonFor(
  { name, message }: Error,
  status: number | undefined,
  code: string | undefined,
): StoreErrorReason | undefined {
  if (name === 'NoSuchBucket') return 'denied'
  // The status comes first: an answer to HEAD has no body that could name the error.
  if (status === 404) return 'missing'
  if (status === 412 || status === 416) return 'changed'
  // 501: the server will never do this, for example a look-alike without If-None-Match.
  if (status === 401 || status === 403 || status === 501) return 'denied'
  if (status === 409 || status === 429 || (status !== undefined && status >= 500))
    return 'unavailable'
  if (
    message === NO_REGION ||
    name === 'CredentialsProviderError' ||
    (code !== undefined && untrusted.test(code))
  )
    return 'denied'
  if (transient.has(name) || code !== undefined) return 'unavailable'
  // An answer that is cut or no XML carries its status of 200.
  if (status === undefined) return undefined
  return status < 300 ? 'unavailable' : 'denied'
}

const transient = new Set(['TimeoutError', 'SlowDown', 'RequestTimeout', 'IncompleteBody'])

/** Certificates that are wrong stay wrong. */
const untrusted = /CERT|SELF_SIGNED|UNABLE_TO|^ERR_TLS/

const NO_REGION = 'Region is missing' // a plain Error, from the SDK's configuration

/** What is wrong with the surroundings rather than with one object, and what to do about it. */
const setUpTexts: readonly (readonly [pattern: RegExp, text: string])[] = [
  [
    new RegExp(NO_REGION),
    'no AWS region is known: set AWS_REGION, or `region` under `s3` in wharfinger.yaml',
  ],
  [
    /^CredentialsProviderError/,
    'there are no AWS credentials: sign in (`aws sso login`), set AWS_PROFILE, or run where a role is given',
  ],
  [/^ExpiredToken/, 'the AWS credentials have expired: sign in again'],
  [/^NoSuchBucket/, 'there is no such bucket, or it lies in another region'],
]

const texts: Readonly<Partial<Record<StoreErrorReason, string>>> = {
  missing: 'is not there',
  changed: 'is not the object that was listed',
  denied: 'access is denied',
  unavailable: 'the store does not answer as it should',
}

function httpStatus(error: Error): number | undefined {
  if (!('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata))
    return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/** ECONNRESET, EAI_AGAIN and their kind, and what TLS says; not Node's ERR_ codes for wrong arguments. */
function networkCode(error: Error): string | undefined {
  if (!('code' in error) || typeof error.code !== 'string') return undefined
  const { code } = error
  const ofNode = code.startsWith('ERR_') && !/^ERR_(?:TLS|SSL|STREAM_PREMATURE_CLOSE)/.test(code)
  return ofNode ? undefined : code
}
