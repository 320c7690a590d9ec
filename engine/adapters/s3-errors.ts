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
  const reason = reasonFor(error.name, status, networkCode(error))
  return reason === undefined
    ? error
    : new StoreError(
        reason,
        key,
        `${key}: ${texts[reason] ?? ''} (${error.name}${status === undefined ? '' : ` ${status}`})`,
        { cause: error },
      )
}

function reasonFor(
  name: string,
  status: number | undefined,
  code: string | undefined,
): StoreErrorReason | undefined {
  if (name === 'NoSuchKey' || name === 'NotFound' || name === 'NoSuchVersion') return 'missing'
  if (name === 'NoSuchBucket') return 'denied'
  if (name === 'PreconditionFailed' || status === 412) return 'changed'
  if (
    name === 'CredentialsProviderError' ||
    name === 'AccessDenied' ||
    status === 403 ||
    status === 401
  )
    return 'denied'
  if (name === 'InvalidRange' || status === 416) return 'changed'
  if (status === 404) return 'missing'
  if (status === 409 || status === 429 || (status !== undefined && status >= 500))
    return 'unavailable'
  if (
    name === 'TimeoutError' ||
    name === 'SlowDown' ||
    name === 'RequestTimeout' ||
    code !== undefined
  )
    return 'unavailable'
  return status === undefined ? undefined : 'denied'
}

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

/** ECONNRESET, ECONNREFUSED, EPIPE, ENOTFOUND and their kind. */
function networkCode(error: Error): string | undefined {
  return 'code' in error &&
    typeof error.code === 'string' &&
    /^(?:E[A-Z]+|ERR_STREAM_PREMATURE_CLOSE)$/.test(error.code)
    ? error.code
    : undefined
}
