import { makeCommand, type Declare } from './program.ts'

/** The commands that keep running, and those about schedules. */
export function declareWork({ program, surroundings, exitsWith }: Declare): void {
  makeCommand(program, 'work')
    .description('keep the schedules and check consignments until told to stop (SIGTERM)')
    .action(async (options) => {
      await exitsWith((await import('./work.ts')).work(surroundings, options))
    })
}
