import { opensAt, type ServiceWindows } from '../../lifecycle/windows.ts'

/** Where nothing says when it opens, it is starting, which takes a few minutes. */
const STARTING_SECONDS = 300

/**
 * An application load balancer's answer: 503 with Retry-After, when it opens, and how to finish a
 * transfer without the API. Problem details as in RFC 9457.
 */
export function asleepAnswer(windows: ServiceWindows | undefined, nowUtc: number) {
  const opens = windows === undefined ? undefined : opensAt(windows, nowUtc)
  const retryAfterSeconds =
    opens === undefined ? STARTING_SECONDS : Math.ceil((opens - nowUtc) / 1000)
  const opensText = opens === undefined ? undefined : new Date(opens).toISOString()
  const when = opensText === undefined ? 'is starting' : `opens at ${opensText}`
  const problem = {
    type: 'about:blank',
    title: 'Asleep',
    status: 503,
    detail: `The service ${when}. Uploads to the drop zone go on meanwhile. To finish a transfer now, write complete.json at its root, beside records/ and metadata/; it is taken when the service opens.`,
    ...(opensText === undefined ? {} : { opensAt: opensText }),
  }
  return {
    statusCode: 503,
    statusDescription: '503 Service Unavailable',
    isBase64Encoded: false,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'Retry-After': String(retryAfterSeconds),
    },
    body: JSON.stringify(problem),
  }
}
