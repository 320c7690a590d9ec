/** What ECS says of the task this process runs in (task metadata endpoint, version 4). */
export type TaskMetadata = {
  /** The last part of the task's ARN. */
  readonly taskId: string
  /** Processors of the task, as its size says; the container may see more of the host. */
  readonly processors: number | undefined
  /** `service/<cluster>/<service>`, as Application Auto Scaling names it. */
  readonly resourceId: string | undefined
}

const PATIENCE_MS = 2_000

/** undefined off ECS, or where the endpoint does not answer: the task works all the same. */
export async function readTaskMetadata(
  uri: string | undefined,
  fetch: typeof globalThis.fetch,
): Promise<TaskMetadata | undefined> {
  if (uri === undefined) return undefined
  try {
    const answer = await fetch(`${uri}/task`, { signal: AbortSignal.timeout(PATIENCE_MS) })
    const body = (await answer.json()) as {
      TaskARN?: unknown
      Cluster?: unknown
      ServiceName?: unknown
      Limits?: { CPU?: unknown }
    }
    const arn = typeof body.TaskARN === 'string' ? body.TaskARN : ''
    const cpu = body.Limits?.CPU
    const { Cluster: cluster, ServiceName: service } = body
    return {
      taskId: arn.split('/').at(-1) ?? '',
      processors: typeof cpu === 'number' && cpu > 0 ? cpu : undefined,
      resourceId:
        typeof cluster === 'string' && typeof service === 'string' && service !== ''
          ? `service/${cluster.split('/').at(-1) ?? ''}/${service}`
          : undefined,
    }
  } catch {
    return undefined
  }
}
