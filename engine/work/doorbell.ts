import type { TransferAddress } from '../model/transfer.ts'
import type { Zone } from '../run/runner.ts'

/**
 * Which transfer an S3 "Object Created" event of EventBridge is about, or undefined: it only
 * means that a drop zone is worth a look.
 */
export function ringOf(body: string, zones: readonly Zone[]): TransferAddress | undefined {
  let event: unknown
  try {
    event = JSON.parse(body)
  } catch {
    return undefined
  }
  const bucket = textAt(event, 'detail', 'bucket', 'name')
  const key = textAt(event, 'detail', 'object', 'key')
  if (bucket === undefined || key === undefined) return undefined
  for (const { zone } of zones) {
    const { store } = zone
    if (store.kind !== 's3' || store.bucket !== bucket || !key.startsWith(store.prefix)) continue
    const [integrator, source, transferId, name] = key.slice(store.prefix.length).split('/')
    if (integrator && source && transferId && name !== undefined)
      return { zone: zone.name, integrator, source, transferId }
  }
  return undefined
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  let here = value
  for (const name of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = (here as Record<string, unknown>)[name]
  }
  return typeof here === 'string' ? here : undefined
}
