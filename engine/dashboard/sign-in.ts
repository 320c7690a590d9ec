import { SignJWT, jwtVerify } from 'jose'
import type { OidcSettings } from '../service-config.ts'
import type { Principal } from '../service/principal.ts'
import { Problem } from '../service/problem.ts'

/** How people come in: by the token a laptop printed, or by their organisation's sign-in. */
export type SignIn =
  | { readonly kind: 'token'; accept(token: string): Principal | undefined }
  | { readonly kind: 'oidc'; readonly flow: CodeFlow }

/** The OpenID Connect code flow with PKCE; nothing is kept between its two requests but a signed cookie. */
export type CodeFlow = {
  begin(): Promise<{ readonly location: string; readonly cookie: string }>
  /** Throws Problem where the answer is not one to our question. */
  finish(callback: URL, cookie: string | undefined): Promise<Principal>
}

export const FLOW_COOKIE = 'wharfinger-sign-in'
const FLOW_MINUTES = 10

type Flow = { readonly verifier: string; readonly state: string; readonly nonce: string }

export function createCodeFlow(options: {
  readonly settings: OidcSettings
  readonly clientId: string
  readonly clientSecret?: string
  /** Where the issuer sends people back to. */
  readonly redirectUri: string
  readonly secret: Uint8Array
  readonly principalOf: (claims: Readonly<Record<string, unknown>>) => Principal | undefined
  /** For tests on 127.0.0.1 alone. */
  readonly insecure?: boolean
}): CodeFlow {
  let loaded: ReturnType<typeof load> | undefined
  async function load() {
    const client = await import('openid-client')
    const configuration = await client.discovery(
      new URL(options.settings.issuer),
      options.clientId,
      options.clientSecret,
      options.clientSecret === undefined ? client.None() : undefined,
      options.insecure === true ? { execute: [client.allowInsecureRequests] } : undefined,
    )
    return { client, configuration }
  }
  // A failed discovery is tried again by the next person.
  const ready = () =>
    (loaded ??= load().catch((error: unknown) => {
      loaded = undefined
      throw new Problem(503, 'Sign-in is away', 'The sign-in service does not answer. Try again.', {
        cause: error instanceof Error ? error.name : 'unknown',
      })
    }))

  return {
    async begin() {
      const { client, configuration } = await ready()
      const flow: Flow = {
        verifier: client.randomPKCECodeVerifier(),
        state: client.randomState(),
        nonce: client.randomNonce(),
      }
      const location = client.buildAuthorizationUrl(configuration, {
        redirect_uri: options.redirectUri,
        scope: 'openid profile',
        code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: 'S256',
        state: flow.state,
        nonce: flow.nonce,
      })
      const cookie = await new SignJWT(flow)
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime(`${FLOW_MINUTES}m`)
        .sign(options.secret)
      return { location: location.href, cookie }
    },
    async finish(callback, cookie) {
      const { client, configuration } = await ready()
      const flow = await readFlow(cookie, options.secret)
      const tokens = await client
        .authorizationCodeGrant(configuration, callback, {
          pkceCodeVerifier: flow.verifier,
          expectedState: flow.state,
          expectedNonce: flow.nonce,
          idTokenExpected: true,
        })
        .catch((error: unknown) => {
          throw refused(error instanceof Error ? error.name : 'unknown')
        })
      const principal = options.principalOf(tokens.claims() ?? {})
      if (principal === undefined)
        throw new Problem(403, 'No role', 'Your account has no role in this service.')
      return principal
    },
  }
}

async function readFlow(cookie: string | undefined, secret: Uint8Array): Promise<Flow> {
  if (cookie === undefined) throw refused('no cookie')
  try {
    const { payload } = await jwtVerify<Flow>(cookie, secret, { algorithms: ['HS256'] })
    return payload
  } catch {
    throw refused('cookie')
  }
}

function refused(why: string): Problem {
  return new Problem(400, 'Not signed in', 'The sign-in did not come to its end. Begin again.', {
    why,
  })
}
