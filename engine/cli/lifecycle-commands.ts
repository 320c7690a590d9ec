import { makeCommand, type Declare } from './command.ts'

/** The commands about when the service is awake. */
export function declareLifecycle({ program, surroundings, exitsWith }: Declare): void {
  const lifecycle = program
    .command('lifecycle')
    .description('when the service is awake, and what AWS is to do about it')
  makeCommand(lifecycle, 'status')
    .description('what the applied schedule wants now, and the next five changes')
    .action(async (options) => {
      await exitsWith((await import('./lifecycle.ts')).status(surroundings, options))
    })
  const load = () => import('./lifecycle-plan.ts')
  makeCommand(lifecycle, 'plan')
    .description('what `apply` would change in AWS (exit code 0: nothing, 2: changes, 1: an error)')
    .action(async (options) => {
      await exitsWith((await load()).plan(surroundings, options))
    })
  makeCommand(lifecycle, 'apply')
    .description('make AWS keep the schedule, and tell the workers')
    .action(async (options) => {
      await exitsWith((await load()).applySchedule(surroundings, options))
    })
  makeCommand(lifecycle, 'lint')
    .description('what stands in the way of applying the schedule, with the fix for each')
    .action(async (options) => {
      await exitsWith((await load()).lint(surroundings, options))
    })
  makeCommand(lifecycle, 'why')
    .description('which rule decides about a time, where it comes from, what the hour costs')
    .argument('<time>', 'like 2027-03-29T10:00, in the zone of the schedule, or with Z')
    .action(async (time, options) => {
      await exitsWith((await load()).why(surroundings, time, options))
    })
  for (const [name, state, description] of [
    ['wake', 'awake', 'be awake now, until a time'],
    ['sleep', 'asleep', 'be asleep now, until a time'],
  ] as const) {
    makeCommand(lifecycle, name)
      .description(`${description}; logged, and ending by itself`)
      .requiredOption('--until <time>', 'like 2026-12-05T18:00')
      .requiredOption('--reason <reason>', 'why')
      .option('--who <name>', 'who asks for it (default: the user of this machine)')
      .action(async (options) => {
        await exitsWith((await load()).override(surroundings, state, options))
      })
  }
  makeCommand(lifecycle, 'reconcile')
    .description('find what differs from what should be, and put it right')
    .option('--dry-run', 'only say it')
    .action(async (options) => {
      await exitsWith((await load()).reconcileNow(surroundings, options))
    })
  makeCommand(lifecycle, 'cost')
    .description('a year of the schedule beside always-on, and what is paid even at zero')
    .option('--year <year>', 'which year (default: this one)')
    .action(async (options) => {
      await exitsWith((await load()).cost(surroundings, options))
    })
  const calendar = lifecycle.command('calendar').description('bank holidays')
  makeCommand(calendar, 'refresh')
    .description("show what gov.uk's calendar changes in ours, from a file or an address")
    .argument('<from>', 'bank-holidays.json')
    .option('--take', 'keep it')
    .action(async (from, options) => {
      await exitsWith((await load()).refreshCalendar(surroundings, from, options))
    })
}
