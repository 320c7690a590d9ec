import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { StoreError } from '../adapters/store.ts'
import { Problem } from '../service/problem.ts'

const RETRY_SECONDS = 10

/** Every way a request can end badly, as RFC 9457 JSON. The only such switch. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = problemFor(error)
    if (problem.status >= 500 && problem.status !== 503) logUnexpected(request, error)
    return sendProblem(reply, problem, request)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new Problem(404, 'Not found', 'There is nothing here; /docs lists what there is.'),
      request,
    ),
  )
}

export function sendProblem(
  reply: FastifyReply,
  problem: Problem,
  request: FastifyRequest,
): FastifyReply {
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  if (problem.status === 503) reply.header('retry-after', String(RETRY_SECONDS))
  // Half a body may be left unread: it must not be taken for the next request.
  if (problem.status === 408 || problem.status === 413) reply.header('connection', 'close')
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .serializer((body: unknown) => JSON.stringify(body))
    .send({
      type: 'about:blank',
      title: problem.title,
      status: problem.status,
      detail: problem.message,
      message: problem.message,
      requestId: request.id,
      ...problem.more,
    })
}

function problemFor(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof StoreError) return ofStore(error)
  if (error instanceof Error && error.name === 'Refusal')
    return new Problem(409, 'Not done', sentence(error.message))
  const { validation, statusCode = 500, code } = error as Partial<FastifyError>
  if (validation !== undefined)
    return new Problem(400, 'Not as described', sentence((error as Error).message), {
      errors: validation.map(({ instancePath, message }) => ({
        pointer: instancePath,
        detail: message ?? '',
      })),
    })
  if (statusCode === 413) return new Problem(413, 'Too large', 'The body is too large.')
  if (statusCode === 415)
    return new Problem(415, 'Not a kind of body that is read here', 'See /docs for what is.')
  if (statusCode >= 400 && statusCode < 500)
    return new Problem(statusCode, 'Not understood', `The request was not understood (${code}).`)
  return new Problem(500, 'Unexpected', 'Something went wrong here. Quote the request id.')
}

/** Without the store's own words: they hold keys. */
function ofStore({ reason }: StoreError): Problem {
  switch (reason) {
    case 'missing':
    case 'changed':
      return new Problem(404, 'Not found', 'It is not there, or no longer.')
    case 'unrepresentable':
      return new Problem(400, 'Not a name', 'The store cannot hold something of that name.')
    case 'tooLarge':
      return new Problem(413, 'Too large', 'What is stored there is too large to be read.')
    case 'alreadyExists':
      return new Problem(409, 'It is there already', 'Nothing is ever replaced.')
    case 'unavailable':
    case 'aborted':
      return new Problem(503, 'Not available', 'A store does not answer; try again.')
    case 'denied':
      return new Problem(500, 'Unexpected', 'A store refuses this service. Quote the request id.')
  }
}

/** Where it went wrong, and nothing that a sender wrote: messages may quote names. */
function logUnexpected(request: FastifyRequest, error: unknown): void {
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: '' }
  const frames = (stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  request.log.error({ error: name, frames, route: request.routeOptions.url }, 'unexpected')
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`
}
