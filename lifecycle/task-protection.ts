/**
 * What the ECS agent says of this task's scale-in protection. Only 'protected' allows work:
 * the agent answers 200 with a `failure` where ECS refused, and an expiry may lie in the past.
 */
export type Protection =
  | { readonly kind: 'protected'; readonly until: Date }
  | { readonly kind: 'not protected'; readonly why: string }
  /** Not an ECS task: nothing scales it in, so there is nothing to protect it from. */
  | { readonly kind: 'off ECS' }

export interface TaskProtection {
  /** Protect this task for `minutes` (1 to 2880) from now. Never throws: what fails is 'not protected'. */
  protect(minutes: number): Promise<Protection>
  /** Let ECS scale this task in. Call after the work is recorded, never before. */
  release(): Promise<'released' | { readonly kind: 'not released'; readonly why: string }>
  /** What the last call established, with an expiry that has passed told as 'not protected'. */
  current(): Protection
}

export type TaskProtectionOptions = {
  /** ECS_AGENT_URI; undefined off ECS. */
  readonly agentUri: string | undefined
  readonly fetch: typeof globalThis.fetch
  readonly now: () => Date
  /** The agent itself gives up on ECS after 4 s (amazon-ecs-agent, task protection handler). */
  readonly timeoutMs?: number
}

/**
 * Scale-in protection through `$ECS_AGENT_URI/task-protection/v1/state`.
 *
 * It holds against service auto scaling and deployments. It does not hold against StopTask,
 * Fargate Spot, Fargate retirement or an unhealthy task: those end in SIGTERM.
 */
export function createTaskProtection(options: TaskProtectionOptions): TaskProtection {
  const { agentUri, now } = options
  if (agentUri === undefined) {
    return {
      protect: () => Promise.resolve({ kind: 'off ECS' }),
      release: () => Promise.resolve('released'),
      current: () => ({ kind: 'off ECS' }),
    }
  }
  const timeoutMs = options.timeoutMs ?? 5_000
  const url = `${agentUri.replace(/\/$/u, '')}/task-protection/v1/state`
  let last: Protection = { kind: 'not protected', why: 'not asked for yet' }

  const put = async (body: object): Promise<AgentAnswer> => {
    try {
      const response = await options.fetch(url, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      })
      const text = (await response.text()).slice(0, 10_000)
      return readAnswer(response.status, text)
    } catch (error) {
      // Whatever the network did, the agent has not said "protected".
      const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
      return { kind: 'refused', why: `the agent did not answer (${why})` }
    }
  }

  const current = (): Protection =>
    last.kind === 'protected' && last.until <= now()
      ? { kind: 'not protected', why: `protection ran out at ${last.until.toISOString()}` }
      : last

  return {
    current,
    async protect(minutes) {
      if (!Number.isInteger(minutes) || minutes < 1 || minutes > 2880) {
        throw new RangeError(`protection must be 1 to 2880 whole minutes, not ${minutes}`)
      }
      const answer = await put({ ProtectionEnabled: true, ExpiresInMinutes: minutes })
      if (answer.kind === 'refused') {
        // A refused renewal does not take away what was granted before and still runs.
        const before = current()
        if (before.kind !== 'protected') last = { kind: 'not protected', why: answer.why }
        return { kind: 'not protected', why: answer.why }
      }
      const { enabled, until } = answer
      if (!enabled) last = { kind: 'not protected', why: 'the agent says protection is off' }
      else if (until === undefined || Number.isNaN(until.getTime())) {
        last = { kind: 'not protected', why: 'the agent names no expiry' }
      } else if (until <= now()) {
        last = { kind: 'not protected', why: `the expiry ${until.toISOString()} has passed` }
      } else last = { kind: 'protected', until }
      return last
    },
    async release() {
      const answer = await put({ ProtectionEnabled: false })
      if (answer.kind === 'refused') return { kind: 'not released', why: answer.why }
      if (answer.enabled) return { kind: 'not released', why: 'the agent says it is still on' }
      last = { kind: 'not protected', why: 'released' }
      return 'released'
    },
  }
}

type AgentAnswer =
  | { readonly kind: 'state'; readonly enabled: boolean; readonly until: Date | undefined }
  | { readonly kind: 'refused'; readonly why: string }

/** Judge the agent's answer by its body: a status of 200 says nothing by itself. */
function readAnswer(status: number, text: string): AgentAnswer {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return { kind: 'refused', why: `the agent answered ${status} with something that is not JSON` }
  }
  const failure = field(body, 'failure') ?? field(body, 'error')
  if (failure !== undefined && failure !== null) {
    const reason = field(failure, 'Reason') ?? field(failure, 'Code')
    return {
      kind: 'refused',
      why: `ECS refused: ${typeof reason === 'string' ? reason : 'no reason'}`,
    }
  }
  if (status !== 200) return { kind: 'refused', why: `the agent answered ${status}` }
  const protection = field(body, 'protection')
  const enabled = field(protection, 'ProtectionEnabled')
  if (typeof enabled !== 'boolean') {
    return { kind: 'refused', why: 'the agent answered 200 without saying whether it protects' }
  }
  const expiry = field(protection, 'ExpirationDate')
  return {
    kind: 'state',
    enabled,
    until: typeof expiry === 'string' ? new Date(expiry) : undefined,
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}
