import { AsyncLocalStorage } from 'node:async_hooks'
import { pino, type Logger } from 'pino'
import type { SweepSummary } from '../run/admission.ts'
import type { WorkEvent } from '../run/runner.ts'
import type { KeeperEvent } from '../schedule/keeper.ts'

/**
 * JSON lines about work, each with what it is about: consignment, chunk, request. Paths, titles
 * and metadata values never get here: events carry references and counts only, and of an error
 * only its kind and what it says about our own stores.
 */
export class WorkLog {
  readonly #logger: Logger
  readonly #request = new AsyncLocalStorage<string>()
  readonly #observe: (event: WorkEvent) => void
  readonly #failed: () => void

  constructor(
    out: { write(line: string): void },
    base: Readonly<Record<string, unknown>>,
    hooks: { readonly observe: (event: WorkEvent) => void; readonly failed: () => void },
  ) {
    this.#logger = pino(
      {
        base,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (level) => ({ level }) },
        mixin: () => {
          const request = this.#request.getStore()
          return request === undefined ? {} : { request }
        },
      },
      out,
    )
    this.#observe = hooks.observe
    this.#failed = hooks.failed
  }

  /** Every line written within carries the request's id. */
  inRequest<T>(id: string, act: () => Promise<T>): Promise<T> {
    return this.#request.run(id, act)
  }

  say(message: string, about: Readonly<Record<string, unknown>> = {}): void {
    this.#logger.info(about, message)
  }

  work(event: WorkEvent): void {
    this.#observe(event)
    const { kind, ...about } = event
    if (event.kind === 'delivered') {
      const { reference, attempt, reportVersion, verdict, counts } = event.delivered
      this.#logger.info(
        { reference, attempt, reportVersion, verdict, files: counts.files, bytes: counts.bytes },
        kind,
      )
      return
    }
    const level = event.kind === 'chunk given up' || event.kind === 'drift' ? 'warn' : 'info'
    this.#logger[level](about, kind)
  }

  swept(schedule: string, summary: SweepSummary): void {
    this.#logger.info({ schedule, ...summary }, 'swept')
  }

  schedule(event: KeeperEvent): void {
    const { kind, ...about } = event
    if (event.kind === 'failed') this.problem(event.error, { schedule: event.schedule })
    else this.#logger.info(about, kind)
  }

  /** Something went wrong that is tried again. */
  problem(error: unknown, about: Readonly<Record<string, unknown>>): void {
    this.#failed()
    const name = error instanceof Error ? error.name : typeof error
    const reason =
      error instanceof Error && 'reason' in error && typeof error.reason === 'string'
        ? { reason: error.reason }
        : {}
    if (name === 'IntegrityAlarm') {
      // The alarm in CloudWatch looks for these words.
      this.#logger.fatal(about, `INTEGRITY ALARM: ${error instanceof Error ? error.message : ''}`)
      return
    }
    // A bug's stack names our code; other errors may quote a key, which names a record.
    const stack = name === 'Error' && error instanceof Error ? { stack: framesOf(error) } : {}
    this.#logger.error({ ...about, error: name, ...reason, ...stack }, 'failed, to be tried again')
  }
}

/** Where an error came from, without its message. */
function framesOf(error: Error): string {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')
}
