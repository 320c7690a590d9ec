import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Landing, Offer, Outcome } from './landing.ts'
import { LandingError } from './landing.ts'
import { refusal, send } from './sending.ts'

const POLL_MS = 1000
const PAGE = 1000

/** The service at `url`, as whoever `token` belongs to. */
export function createApiLanding(options: {
  readonly url: string
  readonly source: string
  readonly token: string
  readonly signal: AbortSignal
}): Landing {
  const { source, token, signal } = options
  const base = options.url.replace(/\/+$/, '')

  // An answer that is lost on the way begins no second transfer.
  const beginOnce = { 'idempotency-key': randomUUID() }

  async function call<T>(
    method: string,
    path: string,
    what: string,
    body?: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const text = body === undefined ? '' : JSON.stringify(body)
    const answer = await send(`${base}${path}`, {
      method,
      signal,
      body: text,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        'content-length': String(Buffer.byteLength(text)),
        ...more,
      },
    })
    if (answer.status === 401)
      throw new LandingError(
        `${base} does not know the token: it is wrong or has expired; set WHARFINGER_TOKEN, or pass --token-file`,
      )
    if (answer.status >= 300) throw refusal(answer, what)
    return JSON.parse(answer.text) as T
  }
  const at = (transferId: string, more = '') =>
    `/transfers/${source}/${encodeURIComponent(transferId)}${more}`

  return {
    address: base,

    async begin() {
      const begun = await call<{ transferId: string; transferReference: string }>(
        'POST',
        `/load/${source}/initiate`,
        'no transfer could be begun',
        undefined,
        beginOnce,
      )
      return { transferId: begun.transferId, reference: begun.transferReference }
    },

    async *arrived(transferId) {
      let cursor = ''
      do {
        const page: { objects: { key: string; sizeBytes: number }[]; cursor?: string } = await call(
          'GET',
          at(transferId, `/objects?limit=${PAGE}${cursor}`),
          'what has arrived cannot be listed',
        )
        yield* page.objects
        cursor = page.cursor === undefined ? '' : `&cursor=${page.cursor}`
      } while (cursor !== '')
    },

    async offer(transferId, object): Promise<Offer> {
      type Signed = { method: 'PUT'; url: string; headers: Record<string, string> }
      const made = await call<
        | ({ kind: 'single' } & Signed)
        | {
            kind: 'multipart'
            uploadId: string
            parts: ({ partNumber: number; firstByte: number; sizeBytes: number } & Signed)[]
          }
      >('POST', at(transferId, '/uploads'), `${object.key} is not taken`, object)
      if (made.kind === 'single') return { kind: 'single', request: made }
      return {
        kind: 'multipart',
        uploadId: made.uploadId,
        parts: made.parts.map(({ partNumber, firstByte, sizeBytes, ...request }) => ({
          partNumber,
          firstByte,
          sizeBytes,
          request,
        })),
      }
    },

    async completeParts(transferId, key, uploadId, parts) {
      const body = { key, uploadId, parts }
      await call('POST', at(transferId, '/uploads/complete'), `${key} is not put together`, body)
    },

    async complete(transferId, completion) {
      await call(
        'POST',
        `/load/${source}/complete/${transferId}`,
        'the transfer is not completed',
        completion,
      )
    },

    async outcome(transferId, stop, onStep): Promise<Outcome> {
      for (;;) {
        const status = await call<Status>('GET', at(transferId), 'the transfer cannot be followed')
        if (status.processed)
          return {
            reference: status.reference ?? '',
            verdict: status.verdict ?? '',
            sentence: status.sentence ?? '',
            ...(status.reference === undefined
              ? {}
              : { report: `${base}/pages/consignments/${status.reference}` }),
          }
        if (status.refused !== undefined)
          throw new LandingError(`the transfer was refused: ${status.refused.join('; ')}`)
        onStep(stepOf(status))
        await delay(POLL_MS, undefined, { signal: stop })
      }
    },

    close: () => Promise.resolve(),
  }
}

type Status = {
  readonly processed: boolean
  readonly reference?: string
  readonly verdict?: string
  readonly sentence?: string
  readonly refused?: readonly string[]
  readonly steps: readonly {
    readonly step: string
    readonly state: string
    readonly files?: { readonly done: number; readonly of: number }
  }[]
  readonly work: { readonly state: string; readonly workStartsAt?: string }
}

function stepOf({ steps, work }: Status): string {
  if (work.workStartsAt !== undefined) return `waiting: work starts again at ${work.workStartsAt}`
  const now = steps.find(({ state }) => state === 'in progress')
  if (now === undefined) return 'waiting to be taken'
  return now.files === undefined ? now.step : `${now.step} ${now.files.done} of ${now.files.of}`
}
