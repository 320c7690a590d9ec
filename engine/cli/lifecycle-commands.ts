import { makeCommand, type Declare } from './program.ts'

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
}
