import { createHash, timingSafeEqual } from 'node:crypto'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import type { OidcSettings } from '../service-config.ts'
import { principalOf } from '../service/claims.ts'
import type { Principal } from '../service/principal.ts'
import { Problem } from '../service/problem.ts'

/** Who sends a request, by its headers. Undefined where it does not say; throws Problem where that does not hold. */
export type Authenticate = (headers: {
  readonly authorization?: string | undefined
  readonly cookie?: string | undefined
}) => Promise<Principal | undefined>

const CLOCKS_DIFFER_SECONDS = 30
const KEYS_TIMEOUT_MS = 5000

/** Bearer tokens of an OpenID Connect issuer, verified against its keys. */
export function oidcTokens(settings: OidcSettings, now: () => Date): Authenticate {
  const keys = createRemoteJWKSet(new URL(settings.jwks), { timeoutDuration: KEYS_TIMEOUT_MS })
  return async ({ authorization }) => {
    const token = bearer(authorization)
    if (token === undefined) return undefined
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: settings.issuer,
        audience: settings.audience,
        algorithms: [...settings.algorithms],
        requiredClaims: ['exp', 'sub'],
        clockTolerance: CLOCKS_DIFFER_SECONDS,
        currentDate: now(),
      })
      return principalOf(payload, settings)
    } catch (error) {
      if (isAboutKeys(error))
        throw new Problem(503, 'Sign-in is not available', 'The keys of the issuer cannot be read.')
      throw refusedToken(error)
    }
  }
}

/** One token that opens everything, for a laptop. */
export function laptopToken(token: string): Authenticate {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const right = digest(token)
  return async ({ authorization }) => {
    const given = bearer(authorization)
    if (given === undefined) return undefined
    if (!timingSafeEqual(digest(given), right)) throw refusedToken(undefined)
    return laptopPrincipal
  }
}

export const laptopPrincipal: Principal = {
  subject: 'laptop',
  name: 'laptop',
  roles: ['integrator', 'archivist', 'operator'],
  integrator: 'laptop',
  bodies: 'all',
}

function bearer(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1]
}

/** The issuer could not be asked: nobody's token is wrong. */
function isAboutKeys(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true
  if (error instanceof TypeError) return true // fetch
  return error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC'
}

/** Says what is wrong, never what is in the token. */
function refusedToken(error: unknown): Problem {
  const why =
    error instanceof errors.JWTExpired
      ? 'The token has expired.'
      : error instanceof errors.JWTClaimValidationFailed
        ? `The token's \`${error.claim}\` is not the one that is wanted here.`
        : error instanceof Error && !(error instanceof errors.JOSEError)
          ? `It cannot be used: ${error.message}.`
          : 'The token is not valid.'
  return new Problem(401, 'Not signed in', why)
}
