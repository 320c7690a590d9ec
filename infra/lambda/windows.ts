import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3'
import type { Interval, Intervals } from '../../lifecycle/intervals.ts'

/** Key in the state bucket of what `lifecycle apply` last applied. */
export const WINDOWS_KEY = 'lifecycle/windows.json'

/**
 * When each service should be awake, as `lifecycle apply` and `lifecycle wake` leave it for what
 * runs while the service sleeps. Canonical UTC intervals, overrides included.
 */
export type Windows = {
  readonly version: 1
  readonly services: readonly ServiceWindows[]
}

export type ServiceWindows = {
  /** `service/<cluster>/<service>`. */
  readonly resourceId: string
  readonly awake: Intervals
  /** Nothing is known after it, and not known means awake. */
  readonly horizonUtc: number
  readonly minTasks: number
  readonly maxTasks: number
  /** soft: while asleep a backlog may open it, so the ceiling stays. */
  readonly closure: 'hard' | 'soft'
}

/** Undefined before the first apply. Throws on anything that is not such a document. */
export async function readWindows(s3: S3Client, bucket: string): Promise<Windows | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: WINDOWS_KEY }))
    return parseWindows(await Body?.transformToString())
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined
    throw error
  }
}

export function parseWindows(json: string | undefined): Windows {
  const document: unknown = JSON.parse(json ?? '')
  if (!isRecord(document) || document['version'] !== 1 || !Array.isArray(document['services']))
    throw new Error(`${WINDOWS_KEY} is not a version 1 document of windows`)
  return { version: 1, services: document['services'].map(parseService) }
}

function parseService(service: unknown): ServiceWindows {
  const fields = isRecord(service) ? service : {}
  const { resourceId, awake, horizonUtc, minTasks, maxTasks, closure } = fields
  if (
    typeof resourceId !== 'string' ||
    !Array.isArray(awake) ||
    !awake.every(isInterval) ||
    typeof horizonUtc !== 'number' ||
    typeof minTasks !== 'number' ||
    typeof maxTasks !== 'number' ||
    (closure !== 'hard' && closure !== 'soft')
  )
    throw new Error(`${WINDOWS_KEY} holds a service that cannot be read`)
  return { resourceId, awake, horizonUtc, minTasks, maxTasks, closure }
}

function isInterval(value: unknown): value is Interval {
  return (
    isRecord(value) && typeof value['fromUtc'] === 'number' && typeof value['toUtc'] === 'number'
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** The instant at which it opens next; undefined while it is open or where nothing says. */
export function opensAt(windows: ServiceWindows, nowUtc: number): number | undefined {
  if (nowUtc >= windows.horizonUtc) return undefined
  const next = windows.awake.find(({ toUtc }) => toUtc > nowUtc)
  if (next === undefined) return windows.horizonUtc
  return next.fromUtc > nowUtc ? next.fromUtc : undefined
}
