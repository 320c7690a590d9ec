import { makeCommand, type Declare } from './command.ts'

/** The commands that keep running, and those about schedules. */
export function declareWork({ program, surroundings, exitsWith }: Declare): void {
  makeCommand(program, 'work')
    .description('keep the schedules and check consignments until told to stop (SIGTERM)')
    .action(async (options) => {
      await exitsWith((await import('./work.ts')).work(surroundings, options))
    })
  makeCommand(program, 'start')
    .description('work and serve in one process, with the dashboard: for a laptop')
    .action(async (options) => {
      await exitsWith((await import('./start.ts')).start(surroundings, options))
    })
  const schedule = program.command('schedule').description('what rings when, and what became of it')
  makeCommand(schedule, 'list')
    .description('every schedule in plain English, with its last and next run')
    .action(async (options) => {
      await exitsWith((await import('./schedule.ts')).listSchedules(surroundings, options))
    })
  makeCommand(schedule, 'next')
    .description('the next times a schedule rings, in its zone and in UTC')
    .argument('[name]', 'one schedule; without it all of them')
    .option('-n, --count <number>', 'how many', '5')
    .action(async (name, options) => {
      await exitsWith((await import('./schedule.ts')).nextRuns(surroundings, name, options))
    })
  makeCommand(schedule, 'run')
    .description('do now, in this process, what a schedule rings for')
    .argument('<name>')
    .action(async (name, options) => {
      await exitsWith((await import('./schedule.ts')).runSchedule(surroundings, name, options))
    })
  for (const [name, description] of [
    ['pause', 'let a schedule ring no more, in every task'],
    ['resume', 'let a paused schedule ring again'],
  ] as const) {
    makeCommand(schedule, name)
      .description(description)
      .argument('<name>')
      .requiredOption('--who <name>', 'who asks for it')
      .requiredOption('--why <reason>', 'why')
      .action(async (which, options) => {
        const { pauseSchedule } = await import('./schedule.ts')
        await exitsWith(pauseSchedule(surroundings, name === 'pause', which, options))
      })
  }
}
