import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { zoneWithDefaults } from '../config.ts'
import { packageRoot } from '../package-root.ts'
import { Refusal } from '../run/decisions.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './program.ts'
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
  const samples = join(packageRoot(), 'fixtures', 'consignments')
  if (!existsSync(samples))
    throw new Refusal('the sample consignments are not part of this installation')
  prepare(folder)
  const names = readdirSync(samples)
    .filter((name) => existsSync(join(samples, name, 'land.json')))
    .sort()
  for (const name of names) land(join(samples, name), join(folder, 'dropzone'))
  const config = {
    ...loadConfig({ ...surroundings, folder, env: {} }, undefined),
    dropZones: [zoneWithDefaults('demo', { kind: 'folder', path: join(folder, 'dropzone') })],
  }
  const ends = await withEngine(surroundings, config, (engine) =>
    sweepZones(engine, config.dropZones, { ...options, reportNow: true }, surroundings),
  )
  const delivered = ends.flatMap((end) => (end.kind === 'delivered' ? [end.delivered] : []))
  const reports = join(folder, 'wharfinger-reports')
  surroundings.out.write(renderVerdicts(delivered, (one) => reportAddress(one, reports)))
  surroundings.out.write(
    `\n${delivered.length} consignments checked. Open one of the reports in a browser.\n`,
  )
  if (surroundings.signal.aborted) return exitCodes.stopped
  // The samples are broken on purpose: findings are what the demo is meant to show.
  return delivered.length === names.length ? exitCodes.sound : exitCodes.unexpected
}

const OURS = ['dropzone', 'wharfinger-state', 'wharfinger-reports']

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

/** Copy one sample to where its land.json says; complete.json comes last, as it has to. */
function land(sample: string, dropZone: string): void {
  const { integrator, source, transferId } = JSON.parse(
    readFileSync(join(sample, 'land.json'), 'utf8'),
  ) as Record<'integrator' | 'source' | 'transferId', string>
  const to = join(dropZone, integrator, source, transferId)
  const from = join(sample, 'transfer')
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('complete.json') })
  cpSync(join(from, 'complete.json'), join(to, 'complete.json'))
}
