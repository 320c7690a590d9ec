import type { Attempt, TransferAddress } from '../model/transfer.ts'

/** What a queue carries: references only, so that a lost or repeated one changes nothing. */
export type WorkMessage =
  /** Bring a transfer on its way: take, seal, plan it and give out chunks, or conclude it. */
  | { readonly kind: 'transfer'; readonly transfer: TransferAddress }
  | {
      readonly kind: 'chunk'
      readonly attempt: Attempt
      readonly version: number
      readonly chunk: number
      /** Given out before without a result: somebody may have died over it. */
      readonly again: boolean
    }

/** ASCII only: queues differ in which characters they take. */
export function writeWorkMessage(message: WorkMessage): string {
  return JSON.stringify(message).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** undefined for anything that this program did not write. */
export function readWorkMessage(body: string): WorkMessage | undefined {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  if (value['kind'] === 'transfer') {
    const { transfer } = value
    return isTransfer(transfer) ? { kind: 'transfer', transfer } : undefined
  }
  const { attempt, version, chunk, again } = value
  if (
    value['kind'] !== 'chunk' ||
    !isRecord(attempt) ||
    typeof attempt['reference'] !== 'string' ||
    !isTransfer(attempt['transfer']) ||
    !isCount(attempt['number']) ||
    !isCount(version) ||
    !isCount(chunk)
  ) {
    return undefined
  }
  return {
    kind: 'chunk',
    attempt: {
      reference: attempt['reference'],
      number: attempt['number'],
      transfer: attempt['transfer'],
    },
    version,
    chunk,
    again: again === true,
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Each part is one name of a key: what could lead elsewhere is not a transfer. */
function isTransfer(value: unknown): value is TransferAddress {
  return (
    isRecord(value) &&
    (['zone', 'integrator', 'source', 'transferId'] as const).every((name) => {
      const part = value[name]
      return (
        typeof part === 'string' &&
        part !== '' &&
        part !== '.' &&
        part !== '..' &&
        !part.includes('/')
      )
    })
  )
}
