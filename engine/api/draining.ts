import type { FastifyInstance } from 'fastify'
import { Problem } from '../service/problem.ts'

/** Ending without cutting anybody off: what has begun is finished, what is new is sent elsewhere. */
export class Draining {
  readonly #stop = new AbortController()
  #inFlight = 0
  #idle: (() => void) | undefined

  /** Aborted when it begins; whatever would go on for ever ends then. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }
  get inFlight(): number {
    return this.#inFlight
  }

  /** Count requests, and refuse new ones once it has begun; health stays answered. */
  watch(app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => {
      this.#inFlight++
      reply.raw.once('close', () => {
        this.#inFlight--
        if (this.#inFlight === 0) this.#idle?.()
      })
      if (!this.#stop.signal.aborted) return
      reply.header('connection', 'close')
      if (HEALTH.has(request.routeOptions.url ?? '')) return
      throw new Problem(503, 'Stopping', 'This task is stopping; another one will answer.')
    })
  }

  /** Begin, and wait for what is in flight, but no longer than `maxMs`. */
  async drain(maxMs: number): Promise<void> {
    this.#stop.abort()
    if (this.#inFlight === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, maxMs)
      this.#idle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

const HEALTH = new Set(['/healthz', '/readyz', '/healthcheck'])
