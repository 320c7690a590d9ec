import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { WorkingTask } from '../work/task.ts'
import { exitCodes } from './exit-code.ts'
import type { CommonOptions } from './command.ts'
import { serveWith } from './serve.ts'
import { loadConfig, type Surroundings } from './surroundings.ts'
import { runWork } from './work.ts'

const DEMO_CONFIG = join('demo', 'wharfinger.yaml')

/** `wharfinger start`: work and serve in one process, for a laptop. */
export async function start(surroundings: Surroundings, options: CommonOptions): Promise<number> {
  const { folder, out } = surroundings
  const here = ['wharfinger.yaml', 'wharfinger.yml'].some((name) => existsSync(join(folder, name)))
  const demo = !here && existsSync(join(folder, DEMO_CONFIG)) ? DEMO_CONFIG : undefined
  const config = await loadConfig(surroundings, options.config ?? demo)
  let task: WorkingTask | undefined
  await Promise.all([
    runWork({ ...surroundings, out: { ...out, write: inWords(surroundings) } }, config, {
      onOpen: (working) => {
        task = working
      },
    }),
    serveWith(surroundings, config, {
      runSchedule: async ({ zones }) => {
        await task?.sweep(zones ?? config.dropZones.map(({ name }) => name))
      },
      onListening: ({ url, token }) => {
        out.write(
          token === undefined
            ? `Dashboard: ${url}/\n`
            : `Dashboard: ${url}/sign-in?token=${token}\n`,
        )
        for (const { name, store } of config.dropZones)
          out.write(`Drop zone ${name}: ${store.kind === 'folder' ? store.path : store.bucket}\n`)
        out.write('Ctrl-C stops it; nothing is lost.\n')
      },
    }),
  ])
  return exitCodes.sound
}

/** The lines of work that a person at a terminal wants to see. */
function inWords({ out, err }: Surroundings): (line: string) => void {
  return (line) => {
    const said = JSON.parse(line) as Readonly<Record<string, unknown>>
    if (said['msg'] === 'delivered')
      out.write(
        `${String(said['reference'])}: ${String(said['verdict'])}, ${String(said['files'])} files\n`,
      )
    else if (said['level'] === 'error' || said['level'] === 'fatal') err.write(line)
  }
}
