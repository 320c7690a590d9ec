import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { zoneWithDefaults } from '../config.ts'
import { changeWhileProcessed, landSample, sampleNames } from '../../fixtures/consignments.ts'
import { Refusal } from '../run/decisions.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { sweepZones } from './run.ts'
import { loadConfig, withEngine, type Surroundings } from './surroundings.ts'
import { renderVerdicts, reportAddress } from './table.ts'

/**
 * `wharfinger demo`: land the sample consignments as an integrator would, sweep, and show the
 * verdicts. Everything lies in one new folder, with a configuration that later commands use.
 */
export async function demo(
  surroundings: Surroundings,
  options: CommonOptions & { readonly folder: string },
): Promise<number> {
  const folder = resolve(surroundings.folder, options.folder)
  const names = sampleNames()
  if (names.length === 0)
    throw new Refusal('the sample consignments are not part of this installation')
  prepare(folder)
  writeFileSync(join(folder, 'wharfinger.yaml'), CONFIG)
  const dropZone = join(folder, 'dropzone')
  for (const name of names) landSample(name, dropZone, 'demo')
  const config = {
    ...(await loadConfig({ ...surroundings, folder, env: {} }, undefined)),
    dropZones: [zoneWithDefaults('demo', { kind: 'folder', path: dropZone })],
  }
  const ends = await withEngine(surroundings, config, (engine) =>
    sweepZones(
      engine,
      config.dropZones,
      {
        ...options,
        reportNow: true,
        onSealed: (transfer) => changeWhileProcessed(transfer, dropZone),
      },
      surroundings,
    ),
  )
  const delivered = ends.flatMap((end) => (end.kind === 'delivered' ? [end.delivered] : []))
  const reports = join(folder, 'wharfinger-reports')
  surroundings.out.write(renderVerdicts(delivered, (one) => reportAddress(one, reports)))
  surroundings.out.write(
    `\n${delivered.length} consignments checked. Open one of the reports in a browser, or see them all: npm start\n`,
  )
  if (surroundings.signal.aborted) return exitCodes.stopped
  // The samples are broken on purpose: findings are what the demo is meant to show.
  return delivered.length === names.length ? exitCodes.sound : exitCodes.unexpected
}

const OURS = ['dropzone', 'wharfinger-state', 'wharfinger-reports', 'wharfinger.yaml']

const CONFIG = `# Made by the demo, and served by npm start.
dropZones:
  - { name: demo, address: ./dropzone }
schedules:
  - { name: sweep, cron: "* * * * *", timeZone: Europe/London }
# What a deployment would cost and save; nothing is applied, so the demo never sleeps.
lifecycle:
  standing: { load-balancer: 1, public-address: 2, key: 3, alarm: 12, object-storage: 100 }
`

/** A demo starts afresh, but never deletes what it did not make. */
function prepare(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const foreign = readdirSync(folder).filter((name) => !OURS.includes(name))
  if (foreign.length > 0)
    throw new Refusal(
      `${folder} holds other things (${foreign[0] ?? ''}); choose an empty folder with --folder`,
    )
  for (const name of OURS) rmSync(join(folder, name), { recursive: true, force: true })
}
