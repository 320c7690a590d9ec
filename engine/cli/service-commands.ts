import { makeCommand, type Declare } from './command.ts'

/** `wharfinger serve` and `wharfinger audit`. */
export function declareService({ program, surroundings, exitsWith }: Declare): void {
  makeCommand(program, 'serve')
    .description('answer integrators, archivists and operators over HTTP until told to stop')
    .action(async (options) => {
      await exitsWith((await import('./serve.ts')).serve(surroundings, options))
    })
  makeCommand(program, 'audit')
    .description('show what operators and archivists did: who, what, when and why')
    .option('--from <day>', 'first day, as 2026-11-24')
    .option('--to <day>', 'last day')
    .option('--csv', 'as CSV; the default is one JSON object a line')
    .action(async (options) => {
      await exitsWith((await import('./audit.ts')).audit(surroundings, options))
    })
}
