import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TransferAddress } from '../model/transfer.ts'
import { workNote } from '../service/context.ts'
import { Problem } from '../service/problem.ts'
import type { TransferStatus } from '../service/transfer-status.ts'
import type { ApiParts } from './parts.ts'

const LOOK_EVERY_MS = 1000
const SIGN_OF_LIFE_LOOKS = 15 // proxies cut what says nothing for long
const MOST_STREAMS = 500
let streams = 0

/** Send a transfer's status each time it changes, as server-sent events, until there is a report. */
export async function followTransfer(
  request: FastifyRequest,
  reply: FastifyReply,
  { context, reader, draining }: ApiParts,
  transfer: TransferAddress,
): Promise<void> {
  let status = await reader.status(transfer) // a transfer that is not there is an answer like any other
  if (streams >= MOST_STREAMS)
    throw new Problem(503, 'Too many listeners', 'Ask for the status now and then instead.')
  const { raw } = reply
  const gone = new AbortController()
  raw.once('close', () => gone.abort())
  const signal = AbortSignal.any([gone.signal, draining.signal])
  reply.hijack()
  streams++
  try {
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) raw.setHeader(name, value)
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    let sent = ''
    let quiet = 0
    for (;;) {
      const data = JSON.stringify({ ...status, work: workNote(context.awake()) })
      if (data !== sent) {
        sent = data
        quiet = 0
        await write(raw, `event: status\ndata: ${data}\n\n`, signal)
      } else if (++quiet % SIGN_OF_LIFE_LOOKS === 0) await write(raw, ':\n\n', signal)
      if (status.processed || signal.aborted) break
      await delay(LOOK_EVERY_MS, undefined, { signal })
      status = await lookAgain(reader, transfer, status)
    }
    await write(raw, 'event: end\ndata: {}\n\n', gone.signal)
  } catch (error) {
    if (!signal.aborted) request.log.error({ error: nameOf(error) }, 'an event stream broke off')
  } finally {
    streams--
    raw.end()
  }
}

/** A store that does not answer for a moment ends no stream. */
async function lookAgain(
  reader: ApiParts['reader'],
  transfer: TransferAddress,
  before: TransferStatus,
): Promise<TransferStatus> {
  try {
    return await reader.status(transfer)
  } catch (error) {
    if (error instanceof Error && error.name === 'StoreError') return before
    throw error
  }
}

async function write(raw: FastifyReply['raw'], text: string, signal: AbortSignal): Promise<void> {
  if (!raw.write(text)) await once(raw, 'drain', { signal })
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
