import type { TransferFacts } from '../model/outcome.ts'
import type { Role } from '../service-config.ts'

/** Who calls, and what they may see. */
export type Principal = {
  /** The token's subject: unchanging, and what the audit log names. */
  readonly subject: string
  /** For people. */
  readonly name: string
  readonly roles: readonly Role[]
  /** The first folder of the drop zone that is theirs; integrators only. */
  readonly integrator?: string
  /** Transferring bodies an archivist answers for, or an integrator sends for. */
  readonly bodies: readonly string[] | 'all'
}

/** May become the name of a folder: nothing that leads out of it, and nothing hidden. */
export function isIntegratorName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9@._-]{0,99}$/.test(text) && !text.includes('..')
}

/** Whether a consignment's report is theirs: sent by them, or for a body they answer for. */
export function mayRead(
  principal: Principal,
  transfer: Pick<TransferFacts, 'integrator' | 'transferringBody'>,
): boolean {
  return (
    (principal.roles.includes('integrator') && principal.integrator === transfer.integrator) ||
    mayDecide(principal, transfer)
  )
}

export function mayDecide(
  principal: Principal,
  transfer: Pick<TransferFacts, 'transferringBody'>,
): boolean {
  if (!principal.roles.includes('archivist')) return false
  if (principal.bodies === 'all') return true
  const body = transfer.transferringBody
  return body !== undefined && principal.bodies.includes(body)
}
