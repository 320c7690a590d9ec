import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { apply } from '../../lifecycle/apply.ts'
import { measureDrift, reconcile } from '../../lifecycle/heal.ts'
import { lintSettings } from '../../lifecycle/lints.ts'
import { requestOverride } from '../../lifecycle/overrides.ts'
import { hasChanges, planActions } from '../../lifecycle/plan.ts'
import { remarkableDays } from '../../lifecycle/remarkable-days.ts'
import { readTemplate, TemplateError, type Lint } from '../../lifecycle/template-lints.ts'
import { ConfigError } from '../config.ts'
import { Refusal } from '../run/decisions.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { scheduleWithLogged, withDesk, type Desk } from './lifecycle-desk.ts'
import { compiledFor, resourceOf, wantedOf, withScaling } from './lifecycle-scaling.ts'
import type { Surroundings } from './surroundings.ts'

const DAY_MS = 86_400_000

type PlanOptions = CommonOptions & {
  /** A synthesised template, to be looked at as well. */
  readonly template?: string | undefined
}

/** What stands in the way. What was logged has run out by itself: the configuration alone is judged. */
function lintsOf({ settings, holidays, nowUtc }: Desk, file: string | undefined): readonly Lint[] {
  if (file === undefined) return lintSettings(settings, holidays, nowUtc)
  try {
    const template = readTemplate(readFileSync(resolve(file), 'utf8'))
    return lintSettings(settings, holidays, nowUtc, template)
  } catch (error) {
    if (error instanceof TemplateError) throw new Refusal(`${file}: ${error.message}`)
    if (error instanceof Error && 'code' in error)
      throw new Refusal(`${file} cannot be read: ${error.message}`)
    throw error
  }
}

/** Refuses what must not reach AWS, with every reason and fix. */
function refuseLints(desk: Desk, template: string | undefined): void {
  const lints = lintsOf(desk, template)
  if (lints.length > 0) throw new ConfigError(lints.map(({ reason, fix }) => `${reason} ${fix}`))
}

const SIGNS = { create: '+', update: '~', delete: '-', 'no change': ' ', foreign: '?' } as const
const CHANGED = 2

/** `wharfinger lifecycle plan`: exit 0 for nothing to do, 2 for changes, 1 for an error. */
export async function plan(surroundings: Surroundings, options: PlanOptions): Promise<number> {
  try {
    return await withDesk(surroundings, options, async (desk) => {
      refuseLints(desk, options.template)
      const planned = await withScaling(surroundings, desk, async (scaling) =>
        planActions(compiledFor(desk), await scaling.actions(), desk.nowUtc),
      )
      if (options.json === true)
        surroundings.out.write(`${JSON.stringify(planned, undefined, 2)}\n`)
      else {
        for (const { kind, sentence } of planned)
          surroundings.out.write(`${SIGNS[kind]} ${sentence}\n`)
        const range = { fromUtc: desk.nowUtc, toUtc: desk.nowUtc + 366 * DAY_MS }
        for (const day of remarkableDays(desk.schedule, desk.holidays, range))
          surroundings.out.write(`  ${day}\n`)
        surroundings.out.write(
          hasChanges(planned)
            ? '`wharfinger lifecycle apply` makes it so.\n'
            : 'Nothing to do: AWS has exactly this.\n',
        )
      }
      return hasChanges(planned) ? CHANGED : exitCodes.sound
    })
  } catch (error) {
    // 2 means changes here, so a configuration that cannot be used is 1.
    if (!(error instanceof ConfigError)) throw error
    surroundings.err.write(
      `The schedule cannot be applied:\n${error.message.replace(/^/gm, '  ')}\n`,
    )
    return exitCodes.unexpected
  }
}

/** `wharfinger lifecycle apply`. */
export async function applySchedule(
  surroundings: Surroundings,
  options: PlanOptions,
): Promise<number> {
  return withDesk(surroundings, options, async (desk) => {
    refuseLints(desk, options.template)
    const { compiled, windows, document } = wantedOf(desk)
    const applied = await withScaling(surroundings, desk, (scaling) =>
      apply(scaling, compiled, windows, document, desk.nowUtc),
    )
    const done = applied.plan.filter(({ kind }) => kind !== 'no change' && kind !== 'foreign')
    if (options.json === true) surroundings.out.write(`${JSON.stringify(applied, undefined, 2)}\n`)
    else {
      for (const { kind, sentence } of done) surroundings.out.write(`${SIGNS[kind]} ${sentence}\n`)
      surroundings.out.write(
        done.length === 0 && !applied.windowsWritten
          ? 'Nothing to do: AWS has exactly this.\n'
          : `Applied and read back: ${compiled.length} scheduled actions.\n`,
      )
    }
    return exitCodes.sound
  })
}

/** `wharfinger lifecycle wake|sleep --until --reason`: bounded, logged, in force at once. */
export async function override(
  surroundings: Surroundings,
  state: 'awake' | 'asleep',
  options: CommonOptions & {
    readonly until: string
    readonly reason: string
    readonly who?: string | undefined
  },
): Promise<number> {
  return withDesk(surroundings, options, async (desk) => {
    const resourceId = resourceOf(desk)
    const answer = requestOverride(
      {
        resourceId,
        state,
        until: options.until,
        reason: options.reason,
        by: options.who ?? userInfo().username,
      },
      desk.schedule.timeZone,
      desk.nowUtc,
    )
    if (answer.kind === 'refused') throw new Refusal(answer.problem)
    await desk.state.createIfAbsent(answer.key, JSON.stringify(answer.logged))
    const schedule = await scheduleWithLogged(desk.state, desk.settings)
    const now: Desk = { ...desk, schedule }
    await withScaling(surroundings, now, (scaling) => reconcile(scaling, wantedOf(now), now.nowUtc))
    surroundings.out.write(
      options.json === true
        ? `${JSON.stringify(answer.logged, undefined, 2)}\n`
        : `${resourceId} is ${state} until ${answer.logged.override.to}; it is logged, and ends by itself.\n`,
    )
    return exitCodes.sound
  })
}

/** `wharfinger lifecycle reconcile`: say what differs from what should be, and put it right. */
export async function reconcileNow(
  surroundings: Surroundings,
  options: CommonOptions & { readonly dryRun?: true | undefined },
): Promise<number> {
  return withDesk(surroundings, options, async (desk) => {
    const drifts = await withScaling(surroundings, desk, (scaling) =>
      options.dryRun === true
        ? measureDrift(scaling, wantedOf(desk), desk.nowUtc)
        : reconcile(scaling, wantedOf(desk), desk.nowUtc),
    )
    if (options.json === true) surroundings.out.write(`${JSON.stringify(drifts, undefined, 2)}\n`)
    else if (drifts.length === 0) surroundings.out.write('Everything is as it should be.\n')
    else for (const { kind, sentence } of drifts) surroundings.out.write(`${kind}: ${sentence}\n`)
    return exitCodes.sound
  })
}

/** `wharfinger lifecycle lint`. */
export async function lint(surroundings: Surroundings, options: PlanOptions): Promise<number> {
  return withDesk(surroundings, options, async (desk) => {
    const lints = lintsOf(desk, options.template)
    if (options.json === true) surroundings.out.write(`${JSON.stringify(lints, undefined, 2)}\n`)
    else if (lints.length === 0)
      surroundings.out.write('Nothing stands in the way of applying it.\n')
    else for (const { reason, fix } of lints) surroundings.out.write(`${reason}\n    -> ${fix}\n`)
    return lints.length === 0 ? exitCodes.sound : exitCodes.usage
  })
}
