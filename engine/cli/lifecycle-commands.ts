import { makeCommand, type Declare } from './command.ts'

const TEMPLATE = [
  '--template <file>',
  'look at what is deployed as well: a template that `cdk synth` wrote',
] as const

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
  const views = () => import('./lifecycle-views.ts')
  makeCommand(lifecycle, 'plan')
    .description('what `apply` would change in AWS (exit code 0: nothing, 2: changes, 1: an error)')
    .option(...TEMPLATE)
    .action(async (options) => {
      await exitsWith((await load()).plan(surroundings, options))
    })
  makeCommand(lifecycle, 'apply')
    .description('make AWS keep the schedule, and tell the workers')
    .option(...TEMPLATE)
    .action(async (options) => {
      await exitsWith((await load()).applySchedule(surroundings, options))
    })
  makeCommand(lifecycle, 'lint')
    .description('what stands in the way of applying the schedule, with the fix for each')
    .option(...TEMPLATE)
    .action(async (options) => {
      await exitsWith((await load()).lint(surroundings, options))
    })
  makeCommand(lifecycle, 'why')
    .description('which rule decides about a time, where it comes from, what the hour costs')
    .argument('<time>', 'like 2027-03-29T10:00, in the zone of the schedule, or with Z')
    .action(async (time, options) => {
      await exitsWith((await views()).why(surroundings, time, options))
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
    .option(
      '--events <file>',
      'ECS task state changes as EventBridge delivers them: what was saved to date',
    )
    .action(async (options) => {
      await exitsWith((await views()).cost(surroundings, options))
    })
  makeCommand(lifecycle, 'simulate')
    .description('a year under four policies: hours, cost, waiting, and what is lost (nothing)')
    .option('--year <year>', 'which year (default: the next one)')
    .option('--arrivals <file>', 'uploads as JSON: [{"at": "2027-01-04T09:12:00Z", "bytes": 7e9}]')
    .option('--seed <number>', 'for made-up uploads and faults', '1')
    .option('--no-faults', 'a year in which nothing goes wrong')
    .option(
      '--served',
      'also minute by minute on a local server of ECS and Auto Scaling, over HTTP',
      false,
    )
    .action(async (options) => {
      const { simulateCommand } = await import('./lifecycle-simulate.ts')
      await exitsWith(simulateCommand(surroundings, options))
    })
  const calendar = makeCommand(lifecycle, 'calendar')
    .description('the opening hours as a picture, and the next changes')
    .option('--week [day]', 'the week of a day, like 2026-12-24 (default: this week)')
    .option('--year [year]', 'a whole year')
    .option('--svg', 'the week as SVG')
    .action(async (options) => {
      await exitsWith((await views()).showCalendar(surroundings, options))
    })
  makeCommand(calendar, 'refresh')
    .description("show what gov.uk's calendar changes in ours, from a file or an address")
    .argument('<from>', 'bank-holidays.json')
    .option('--take', 'keep it')
    .action(async (from, options) => {
      await exitsWith((await views()).refreshCalendar(surroundings, from, options))
    })
}
