import { storeSelfTest } from '../adapters/open-store.ts'
import { StoreError, type Store } from '../adapters/store.ts'
import { jobs } from '../../jobs/index.ts'
import { reindex } from '../run/index-segments.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { loadConfig, openRetrying, withStores, type Surroundings } from './surroundings.ts'
import { renderTable } from './table.ts'

/** `wharfinger jobs`. */
export async function listJobs(
  surroundings: Surroundings,
  options: CommonOptions,
): Promise<number> {
  const list = Object.values(jobs).map(({ id, summary }) => ({ id, summary }))
  surroundings.out.write(
    options.json === true
      ? `${JSON.stringify(list, undefined, 2)}\n`
      : renderTable(list.map(({ id, summary }) => [id, summary])),
  )
  return exitCodes.sound
}

/** `wharfinger reindex`. */
export async function reindexCommand(
  surroundings: Surroundings,
  options: CommonOptions,
): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  return withStores(config, async ({ state, reports }) => {
    const count = await reindex(state, reports)
    surroundings.out.write(
      options.json === true
        ? `${JSON.stringify({ reports: count })}\n`
        : `${count} ${count === 1 ? 'report is' : 'reports are'} in the index.\n`,
    )
    return exitCodes.sound
  })
}

type Diagnosis = { readonly what: string; readonly ok: boolean; readonly says: string }

/** `wharfinger doctor`: each thing the engine relies on, tried for real. */
export async function doctor(surroundings: Surroundings, options: CommonOptions): Promise<number> {
  const config = await loadConfig(surroundings, options.config)
  const diagnoses: Diagnosis[] = []
  for (const [what, address] of [
    ['state', config.state],
    ['reports', config.reports],
  ] as const) {
    diagnoses.push(
      await tryOut(`${what}: one winner for each key`, openRetrying(address), async (store) => {
        await storeSelfTest(store)
        return `${store.address} refuses to overwrite`
      }),
    )
    diagnoses.push(
      await tryOut(`${what}: clock`, openRetrying(address), async () => {
        const year = surroundings.now().getUTCFullYear()
        if (year < 2024 || year > 2100)
          throw new StoreError('denied', '', `the clock says it is the year ${year}`)
        return surroundings.now().toISOString()
      }),
    )
  }
  for (const zone of config.dropZones) {
    diagnoses.push(
      await tryOut(`drop zone ${zone.name}: listing`, openRetrying(zone.store), async (store) => {
        let integrators = 0
        for await (const { kind } of store.listLevel('')) if (kind === 'folder') integrators++
        return `${store.address}: ${integrators} ${integrators === 1 ? 'integrator' : 'integrators'}`
      }),
    )
  }
  const healthy = diagnoses.every(({ ok }) => ok)
  surroundings.out.write(
    options.json === true
      ? `${JSON.stringify({ healthy, diagnoses }, undefined, 2)}\n`
      : renderTable(diagnoses.map(({ what, ok, says }) => [ok ? 'ok' : 'NOT OK', what, says])) +
          (config.dropZones.length === 0
            ? 'No drop zone is configured: add `dropZones` to wharfinger.yaml, or use `wharfinger run <folder>`.\n'
            : ''),
  )
  return healthy ? exitCodes.sound : exitCodes.usage
}

async function tryOut(
  what: string,
  store: Store,
  attempt: (store: Store) => Promise<string>,
): Promise<Diagnosis> {
  try {
    return { what, ok: true, says: await attempt(store) }
  } catch (error) {
    // A diagnosis is what this command is for: whatever goes wrong becomes a line of it.
    return { what, ok: false, says: error instanceof Error ? error.message : String(error) }
  } finally {
    await store.close()
  }
}
