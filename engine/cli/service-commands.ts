import { makeCommand, type Declare } from './command.ts'

/** What integrators and the service's operators type: `push`, `serve`, `audit`. */
export function declareService({ program, surroundings, exitsWith }: Declare): void {
  makeCommand(program, 'push')
    .description('send a folder: to the service, or into a drop zone; goes on where it broke off')
    .argument(
      '<folder>',
      'the records; a `records/` and `metadata/` of its own are kept as they lie',
    )
    .requiredOption('--to <address>', 'https://..., s3://bucket/zone, or a folder')
    .option(
      '--source <system>',
      'sharepoint, networkdrive, harddrive or googledrive',
      'networkdrive',
    )
    .option(
      '--integrator <name>',
      'your folder in a drop zone (the service knows it by your token)',
    )
    .option('--token-file <file>', 'holds your token for the service (default: WHARFINGER_TOKEN)')
    .option('--token <token>', 'the token itself; others on this machine can read a command line')
    .option('--correct', 'send what changed since the last push of this folder')
    .option('--wait', 'wait for the report, and say what it says')
    .option('--parallel <number>', 'files, or parts of a large one, sent at once', '4')
    .option('--body <name>', 'the transferring body')
    .option('--series <code>', 'the series it belongs to')
    .option('--contact <address>', 'whom the archive asks')
    .action(async (folder, options) => {
      await exitsWith((await import('./push.ts')).push(surroundings, folder, options))
    })
  const integrator = program.command('integrator').description('who sends')
  makeCommand(integrator, 'add')
    .description('make a place in a drop zone for a sender, and try it with an upload')
    .argument('<name>', 'the name of its folder')
    .option('--zone <name or address>', 'which drop zone (default: the first one)')
    .option('--role <arn>', 'who may assume its role: an account id, or the ARN of a role')
    .action(async (name, options) => {
      await exitsWith((await import('./integrator.ts')).addIntegrator(surroundings, name, options))
    })
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
