import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { createFolderStore } from '../adapters/folder-store.ts'
import { openDocument } from '../adapters/sealed-document.ts'
import { Refusal } from '../run/decisions.ts'
import { markHandedOver, recordHandover } from '../run/handover.ts'
import type { CommonOptions } from './command.ts'
import { exitCodes } from './exit-code.ts'
import {
  loadConfig,
  openRetrying,
  withStores,
  zoneNamed,
  type Surroundings,
} from './surroundings.ts'

/** `wharfinger handover <reference> --receipt <file>`. */
export async function handover(
  surroundings: Surroundings,
  reference: string,
  options: CommonOptions & {
    readonly receipt: string
    readonly who: string
    readonly why: string
    readonly mark?: true | undefined
  },
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  const path = resolve(surroundings.folder, options.receipt)
  const folder = createFolderStore(dirname(path))
  const object = existsSync(path) ? await folder.head(basename(path)) : undefined
  if (object === undefined || object.irregular !== undefined)
    throw new Refusal(`there is no file ${path}`)
  const scratch = await mkdtemp(join(config.scratch, 'wharfinger-handover-'))
  try {
    return await withStores(config, async ({ state, reports }) => {
      const { attempt, handover: record } = await recordHandover(state, reports, {
        reference,
        receipt: await openDocument(folder, { ...object, root: '' }),
        who: options.who,
        why: options.why,
        now: surroundings.now(),
        scratch,
      })
      let marked: number | undefined
      if (options.mark === true) {
        const zone = openRetrying(zoneNamed(config, attempt.transfer.zone).store)
        marked = await markHandedOver(state, zone, attempt).finally(() => zone.close())
      }
      surroundings.out.write(
        options.json === true
          ? `${JSON.stringify({ ...record, ...(marked === undefined ? {} : { marked }) })}\n`
          : `${reference}: ${record.files} records handed over, each with our SHA-256 (${record.who}, ${record.when.slice(0, 10)}).${marked === undefined ? '' : ` ${marked} marked: the bucket may expire them.`}\n`,
      )
      return exitCodes.sound
    })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}
