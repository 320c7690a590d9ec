import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { SignedRequest } from '../adapters/s3-presign.ts'
import { LandingError } from './landing.ts'

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

const SILENCE_MS = 60_000
const ANSWER_LIMIT_BYTES = 16 * 1024 * 1024
const BUSY = new Set([408, 425, 429, 500, 502, 503, 504])

/**
 * One HTTP request with a body of a stated length: what a signed upload wants, and `fetch` does not
 * give (it sends streams in chunks). Throws LandingError, retryable for cuts, silences and 5xx.
 */
export async function send(
  address: string,
  options: {
    readonly method: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string | AsyncIterable<Uint8Array>
    readonly signal: AbortSignal
  },
): Promise<Answer> {
  const { method, headers = {}, body, signal } = options
  const url = new URL(address)
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const request = open(url, { method, headers, signal, timeout: SILENCE_MS }, (response) => {
        readAnswer(response).then(resolve, reject)
      })
      request.once('timeout', () => request.destroy(new Error('no answer for a minute')))
      request.once('error', reject)
      if (body === undefined || typeof body === 'string') request.end(body)
      else
        pipeline(Readable.from(body, { objectMode: false }), request).catch((error: unknown) => {
          // An answer that came before the end of the body says why; then the cut is no news.
          if (!request.destroyed) request.destroy(error instanceof Error ? error : undefined)
          reject(error instanceof Error ? error : new Error(String(error)))
        })
    })
  } catch (error) {
    if (signal.aborted || error instanceof LandingError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new LandingError(`${url.host} cannot be reached: ${why}`, {
      retryable: true,
      cause: error,
    })
  }
}

/** Send the body of a signed request; returns the ETag. 412 means that it is there already. */
export async function sendSigned(
  { method, url, headers }: SignedRequest,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ readonly arrived: boolean; readonly etag: string }> {
  const answer = await send(url, { method, headers, body, signal })
  if (answer.status === 412 || answer.status === 409) return { arrived: true, etag: '' }
  if (answer.status >= 300) throw refusal(answer, 'the upload was refused')
  const { etag } = answer.headers
  return { arrived: false, etag: typeof etag === 'string' ? etag : '' }
}

/** What an answer other than 2xx means for whoever sent the request. */
export function refusal(answer: Answer, what: string): LandingError {
  const said = detailOf(answer.text)
  const after = Number(answer.headers['retry-after'])
  return new LandingError(`${what}: ${said ?? 'no reason was given'} (${answer.status})`, {
    retryable: BUSY.has(answer.status),
    retryAfterMs: Number.isFinite(after) ? after * 1000 : undefined,
  })
}

/** RFC 9457's `detail`, or S3's message. */
function detailOf(text: string): string | undefined {
  const s3 = /<Message>([^<]*)<\/Message>/.exec(text)?.[1]
  if (s3 !== undefined) return s3
  try {
    const problem: unknown = JSON.parse(text)
    if (typeof problem === 'object' && problem !== null && 'detail' in problem)
      return typeof problem.detail === 'string' ? problem.detail : undefined
  } catch (error) {
    // Not JSON: a proxy's page, of which a person learns nothing.
    if (!(error instanceof SyntaxError)) throw error
  }
  return undefined
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.byteLength
    if (bytes > ANSWER_LIMIT_BYTES) throw new LandingError('an answer is larger than 16 MiB')
    pieces.push(piece)
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(pieces).toString(),
  }
}
