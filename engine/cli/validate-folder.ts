import { existsSync, linkSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createFolderStore } from '../adapters/folder-store.ts'
import { zoneWithDefaults } from '../config.ts'
import type { Outcome } from '../model/outcome.ts'
import { renderText } from '../report/text.ts'
import { readText } from '../run/create-once.ts'
import { Refusal } from '../run/decisions.ts'
import { processTransfer } from '../run/process.ts'
import { exitCodeFor, exitCodes } from './exit-code.ts'
import { linkTree } from './link-tree.ts'
import { progressBars } from './progress.ts'
import type { CommonOptions } from './command.ts'
import { loadConfig, withEngine, type Surroundings } from './surroundings.ts'

const TRANSFER = {
  zone: 'validate',
  integrator: 'you',
  source: 'folder',
  transferId: 'before-sending',
}

/**
 * `wharfinger validate <folder>`: what the report would say if this folder were sent: a folder laid
 * out as a transfer, a BagIt bag, or any folder of records. Every byte is read; nothing is kept.
 */
export async function validateFolder(
  surroundings: Surroundings,
  folder: string,
  options: CommonOptions,
): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'wharfinger-validate-'))
  // Beside the folder, on the same disk: its files are linked there, and copied only where they have to be.
  const landing = makeBeside(folder)
  try {
    const laidOut = existsSync(join(folder, 'records')) || existsSync(join(folder, 'metadata'))
    const root = join(landing, TRANSFER.integrator, TRANSFER.source, TRANSFER.transferId)
    linkTree(folder, laidOut ? root : join(root, 'records'), linkSync)
    const config = {
      ...(await loadConfig({ ...surroundings, folder: scratch, env: {} }, undefined)),
      scratch,
    }
    const zone = zoneWithDefaults(TRANSFER.zone, { kind: 'folder', path: landing })
    const bars = await progressBars(surroundings, {
      quiet: options.quiet === true || options.json === true,
    })
    return await withEngine(surroundings, config, async (engine) => {
      const end = await processTransfer(engine, zone, createFolderStore(landing), TRANSFER, {
        reportNow: true,
        onProgress: (progress) => bars.onProgress(progress),
      })
      bars.stop()
      if (end.kind !== 'delivered') return exitCodes.stopped
      const json = end.delivered.files.find(({ name }) => name === 'report.json')
      const text = await readText(engine.reports, json?.key ?? '')
      surroundings.out.write(
        options.json === true
          ? text
          : `${renderText(JSON.parse(text) as Outcome)}\nThis is what the report would say; nothing was sent or kept.\n`,
      )
      return exitCodeFor([end])
    })
  } finally {
    rmSync(landing, { recursive: true, force: true })
    rmSync(scratch, { recursive: true, force: true })
  }
}

function makeBeside(folder: string): string {
  try {
    return mkdtempSync(join(dirname(folder), '.wharfinger-validate-'))
  } catch {
    throw new Refusal(
      `nothing can be written beside ${folder}, where its files are linked while they are read`,
    )
  }
}
