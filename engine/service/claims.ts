import { roles, type OidcSettings } from '../service-config.ts'
import { isIntegratorName, type Principal } from './principal.ts'

/** Who a verified token is about. Throws Error in plain words where its claims give no role. */
export function principalOf(
  claims: Readonly<Record<string, unknown>>,
  settings: Pick<OidcSettings, 'claims' | 'roles'>,
): Principal {
  const subject = textsOf(claims['sub'])[0]
  if (subject === undefined) throw new Error('the token does not say whom it is about')
  const given = textsOf(claimAt(claims, settings.claims.roles))
  const own = roles.filter((role) => settings.roles[role].some((value) => given.includes(value)))
  const integrator = textsOf(claimAt(claims, settings.claims.integrator))[0]
  if (own.includes('integrator') && (integrator === undefined || !isIntegratorName(integrator)))
    throw new Error('the token names no folder that can be an integrator’s')
  const bodies = textsOf(claimAt(claims, settings.claims.bodies))
  return {
    subject,
    name: textsOf(claimAt(claims, settings.claims.name))[0] ?? subject,
    roles: own,
    ...(own.includes('integrator') && integrator !== undefined ? { integrator } : {}),
    bodies: bodies.includes('*') ? 'all' : bodies,
  }
}

/** A claim by its name, or by a path of names with dots between them. */
function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let at: unknown = claims
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Readonly<Record<string, unknown>>)[name]
  }
  return at
}

function textsOf(claim: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
  return values.filter((value): value is string => typeof value === 'string' && value !== '')
}
