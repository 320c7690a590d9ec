import type { Store } from '../adapters/store.ts'
import type { DropZone, EngineConfig } from '../config.ts'
import { ConfigError } from '../config.ts'
import { completionNumber } from '../flow/completion.ts'
import type { TransferAddress } from '../model/transfer.ts'
import { transferPrefix } from '../model/transfer.ts'
import { count } from '../model/count.ts'
import { relistDaily } from '../run/daily-relist.ts'
import { requestRecheck, Refusal } from '../run/decisions.ts'
import { processTransfer, type Engine, type ProcessEnd } from '../run/process.ts'
import { dueTransfers } from '../run/sweep.ts'
import { exitCodeFor, exitCodes } from './exit-code.ts'
import { progressBars } from './progress.ts'
import type { CommonOptions } from './command.ts'
import {
  loadConfig,
  openRetrying,
  withEngine,
  zoneFor,
  zoneNamed,
  type Surroundings,
} from './surroundings.ts'
import { renderVerdicts, reportAddress } from './table.ts'

/** `wharfinger run <drop zone or transfer>`: check now, report now. */
export async function run(
  surroundings: Surroundings,
  address: string,
  options: CommonOptions,
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  const { zone, transfer } = await locate(config, address, surroundings.folder)
  const ends = await withEngine(surroundings, config, (engine) =>
    sweepZones(
      engine,
      [zone],
      { ...options, reportNow: true, ...(transfer === undefined ? {} : { only: transfer }) },
      surroundings,
    ),
  )
  return conclude(ends, config, options, surroundings)
}

/** `wharfinger sweep`: what a schedule rings for. */
export async function sweep(
  surroundings: Surroundings,
  options: CommonOptions & { readonly zone?: string[] | undefined },
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  const zones =
    options.zone === undefined
      ? config.dropZones
      : options.zone.map((name) => zoneNamed(config, name))
  if (zones.length === 0)
    throw new ConfigError([
      'no drop zone is configured; `wharfinger run <folder>` needs no configuration',
    ])
  const ends = await withEngine(surroundings, config, (engine) =>
    sweepZones(engine, zones, { ...options, reportNow: false }, surroundings),
  )
  return conclude(ends, config, options, surroundings)
}

/** `wharfinger recheck <reference>`. */
export async function recheck(
  surroundings: Surroundings,
  reference: string,
  options: CommonOptions & {
    readonly everything?: true | undefined
    readonly who: string
    readonly why: string
    readonly zone?: string | undefined
  },
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  const ends = await withEngine(surroundings, config, async (engine) => {
    const asked = await requestRecheck(engine.state, engine.reports, reference, {
      everything: options.everything === true,
      who: options.who,
      why: options.why,
      now: engine.now(),
    })
    const zone = zoneNamed(config, asked.attempt.transfer.zone)
    return sweepZones(
      engine,
      [zone],
      { ...options, reportNow: true, only: asked.attempt.transfer },
      surroundings,
    )
  })
  return conclude(ends, config, options, surroundings)
}

type SweepOptions = CommonOptions & {
  readonly reportNow: boolean
  readonly only?: TransferAddress
  readonly onSealed?: (transfer: TransferAddress) => void
}

/** One transfer after another: each uses all threads, and its report comes as early as it can. */
export async function sweepZones(
  engine: Engine,
  zones: readonly DropZone[],
  options: SweepOptions,
  surroundings: Surroundings,
): Promise<ProcessEnd[]> {
  const bars = await progressBars(surroundings, {
    quiet: options.quiet === true || options.json === true,
  })
  const ends: ProcessEnd[] = []
  try {
    for (const zone of zones) {
      const zoneStore = openRetrying(zone.store)
      try {
        if (!options.reportNow) await warnOfDrift(engine, zone, zoneStore, surroundings)
        for await (const transfer of transfersToDo(engine, zone, zoneStore, options.only)) {
          if (engine.signal.aborted) break
          ends.push(
            await processTransfer(engine, zone, zoneStore, transfer, {
              reportNow: options.reportNow,
              onProgress: (progress) => {
                bars.onProgress(progress)
                if (progress.kind === 'sealed') options.onSealed?.(transfer)
              },
            }),
          )
        }
      } finally {
        await zoneStore.close()
      }
    }
  } finally {
    bars.stop()
  }
  return ends
}

async function warnOfDrift(
  engine: Engine,
  zone: DropZone,
  zoneStore: Store,
  surroundings: Surroundings,
): Promise<void> {
  for (const { attempt, drift } of await relistDaily(zone, zoneStore, engine.state, engine.now())) {
    surroundings.err.write(
      `${attempt.reference}: ${count(drift.length, 'object has', 'objects have')} changed in the drop zone since it was sealed; it cannot be accepted before \`wharfinger recheck\`.\n`,
    )
  }
}

async function* transfersToDo(
  engine: Engine,
  zone: DropZone,
  zoneStore: Store,
  only: TransferAddress | undefined,
): AsyncGenerator<TransferAddress> {
  if (only !== undefined) {
    yield only
    return
  }
  for await (const { transfer } of dueTransfers(zone, zoneStore, engine.state, engine.now()))
    yield transfer
}

/** Tell a drop zone from one transfer in it: a transfer has records/, metadata/ or complete.json. */
async function locate(
  config: EngineConfig,
  text: string,
  folder: string,
): Promise<{ zone: DropZone; transfer?: TransferAddress }> {
  const zone = zoneFor(config, text, folder)
  const store = openRetrying(zone.store)
  try {
    let any = false
    let looksLikeTransfer = false
    for await (const { kind, name } of store.listLevel('')) {
      any = true
      looksLikeTransfer ||=
        kind === 'folder'
          ? name === 'records' || name === 'metadata'
          : completionNumber(name) !== undefined
    }
    if (!any) throw new Refusal(`${store.address} is empty or not there`)
    if (!looksLikeTransfer) return { zone }
  } finally {
    await store.close()
  }
  const parts = text.replace(/\/+$/, '').split('/')
  const [integrator, source, transferId] = parts.slice(-3)
  const above = parts.slice(0, -3).join('/')
  if (
    integrator === undefined ||
    source === undefined ||
    transferId === undefined ||
    above === ''
  ) {
    throw new Refusal(
      `a transfer has to lie at {drop zone}/{integrator}/{source}/{transferId}, which ${text} does not`,
    )
  }
  const of = zoneFor(config, above, folder)
  return { zone: of, transfer: { zone: of.name, integrator, source, transferId } }
}

function conclude(
  ends: readonly ProcessEnd[],
  config: EngineConfig,
  options: CommonOptions,
  surroundings: Surroundings,
): number {
  const delivered = ends.flatMap((end) => (end.kind === 'delivered' ? [end.delivered] : []))
  const address =
    config.reports.kind === 'folder'
      ? config.reports.path
      : `s3://${config.reports.bucket}/${config.reports.prefix}`
  if (options.json === true) {
    surroundings.out.write(
      JSON.stringify(
        ends.map((end) =>
          end.kind === 'delivered'
            ? { ...end.delivered, report: reportAddress(end.delivered, address) }
            : {
                kind: end.kind,
                reference: end.attempt.reference,
                transfer: transferPrefix(end.attempt.transfer),
              },
        ),
        undefined,
        2,
      ) + '\n',
    )
  } else {
    if (delivered.length > 0)
      surroundings.out.write(renderVerdicts(delivered, (one) => reportAddress(one, address)))
    for (const end of ends) {
      if (end.kind === 'to be tried again')
        surroundings.out.write(
          `${end.attempt.reference}: something could not be read; it is tried again at the next sweep.\n`,
        )
      if (end.kind === 'stopped')
        surroundings.out.write(
          `${end.attempt.reference}: stopped; the next run goes on from here.\n`,
        )
    }
    if (ends.length === 0 && options.quiet !== true) {
      surroundings.out.write(
        'Nothing to do: every complete transfer has its report. A transfer is complete when complete.json lies at its root.\n',
      )
    }
  }
  if (surroundings.signal.aborted) return exitCodes.stopped
  return exitCodeFor(ends)
}
