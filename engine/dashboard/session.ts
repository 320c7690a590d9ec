import { randomBytes } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import type { Principal } from '../service/principal.ts'

/** Somebody who is signed in to the dashboard. Kept in a signed cookie: any task can read it. */
export type Session = {
  readonly principal: Principal
  /** Sent back by every form, so that no other site can send one. */
  readonly formToken: string
}

export const SESSION_COOKIE = 'wharfinger-session'
const HOURS = 8 // a working day
const ALGORITHM = 'HS256'
const AUDIENCE = 'wharfinger dashboard'

/** Signs and reads session cookies with one secret of at least 32 bytes. */
export class Sessions {
  readonly #secret: Uint8Array
  readonly #now: () => Date

  constructor(now: () => Date, secret: Uint8Array = randomBytes(32)) {
    if (secret.length < 32) throw new RangeError('a session secret has 32 bytes or more')
    this.#secret = secret
    this.#now = now
  }

  async begin(principal: Principal): Promise<string> {
    const seconds = Math.floor(this.#now().getTime() / 1000)
    return new SignJWT({ principal, formToken: randomBytes(16).toString('base64url') })
      .setProtectedHeader({ alg: ALGORITHM })
      .setAudience(AUDIENCE)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + HOURS * 3600)
      .sign(this.#secret)
  }

  /** undefined for no cookie, an expired one, or one that is not ours. */
  async read(cookie: string | undefined): Promise<Session | undefined> {
    if (cookie === undefined) return undefined
    try {
      const { payload } = await jwtVerify<Session>(cookie, this.#secret, {
        algorithms: [ALGORITHM],
        audience: AUDIENCE,
        currentDate: this.#now(),
      })
      return { principal: payload.principal, formToken: payload.formToken }
    } catch {
      return undefined
    }
  }
}
