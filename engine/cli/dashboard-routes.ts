import { createHash, timingSafeEqual } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Routes } from '../api/parts.ts'
import { laptopPrincipal } from '../api/authenticate.ts'
import { ConfigError, type EngineConfig } from '../config.ts'
import { registerDashboard } from '../dashboard/dashboard.ts'
import type { DashboardOptions } from '../dashboard/options.ts'
import { Sessions } from '../dashboard/session.ts'
import { createCodeFlow, type SignIn } from '../dashboard/sign-in.ts'
import { packageRoot } from '../package-root.ts'
import { principalOf } from '../service/claims.ts'
import { lifecycleBoard } from './lifecycle-board.ts'
import type { Surroundings } from './surroundings.ts'

export type DashboardWiring = Pick<DashboardOptions, 'runSchedule'> & {
  /** What a laptop printed; undefined where people sign in with their organisation. */
  readonly token: string | undefined
}

const DEFAULT_ZONE = 'Europe/London'

/** The dashboard's routes; none where nobody could sign in to it. */
export function dashboardRoutes(
  surroundings: Surroundings,
  config: EngineConfig,
  wiring: DashboardWiring,
): readonly Routes[] {
  const { env, now } = surroundings
  const { oidc, url } = config.service
  const secret = env['WHARFINGER_SESSION_SECRET']
  if (secret !== undefined && Buffer.byteLength(secret) < 32)
    throw new ConfigError(['WHARFINGER_SESSION_SECRET has to have 32 characters or more'])
  // Without a shared one, a restart signs everybody out, and two tasks know each other's people not.
  const sessions = new Sessions(now, secret === undefined ? undefined : Buffer.from(secret))
  let signIn: SignIn
  if (oidc === undefined) {
    const right = wiring.token ?? ''
    signIn = {
      kind: 'token',
      accept: (token) => (same(token, right) ? laptopPrincipal : undefined),
    }
  } else {
    if (oidc.clientId === undefined) return []
    if (url === undefined)
      throw new ConfigError([
        '`service.url` is needed where people sign in: they are sent back to it',
      ])
    const clientSecret = env['WHARFINGER_OIDC_CLIENT_SECRET']
    const flow = createCodeFlow({
      settings: oidc,
      clientId: oidc.clientId,
      ...(clientSecret === undefined ? {} : { clientSecret }),
      redirectUri: `${url}/sign-in/callback`,
      secret: createHash('sha256')
        .update(`flow ${secret ?? ''}`)
        .digest(),
      principalOf: (claims) => {
        const principal = principalOf(claims, oidc)
        return principal.roles.length === 0 ? undefined : principal
      },
    })
    signIn = { kind: 'oidc', flow }
  }
  return [
    async (api, { context, index, reader }) => {
      const board = lifecycleBoard(surroundings, config, context.state)
      await registerDashboard(api, {
        context,
        index,
        transfers: reader,
        sessions,
        signIn,
        timeZone:
          config.lifecycle?.schedule.timeZone ??
          config.schedules[0]?.slots.timeZone ??
          DEFAULT_ZONE,
        ...(board === undefined ? {} : { board }),
        secure: url?.startsWith('https:') === true,
        stylesheet: stylesheetFile(),
        ...(wiring.runSchedule === undefined ? {} : { runSchedule: wiring.runSchedule }),
      })
    },
  ]
}

function stylesheetFile(): string {
  const file = join(packageRoot(), 'dist', 'engine', 'dashboard', 'dashboard.css')
  if (!existsSync(file))
    throw new ConfigError(['the pages have no style sheet yet: `npm run build` makes it'])
  return file
}

function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return b !== '' && timingSafeEqual(digest(a), digest(b))
}
