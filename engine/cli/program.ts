import { Command, CommanderError } from '@commander-js/extra-typings'
import { ENGINE_VERSION } from '../version.ts'
import { makeCommand } from './command.ts'
import { exitCodes } from './exit-code.ts'
import type { Surroundings } from './surroundings.ts'
import { declareService } from './service-commands.ts'
import { declareLifecycle } from './lifecycle-commands.ts'
import { declareWork } from './work-commands.ts'

/**
 * Run one command line and return its exit code. Nothing heavy is loaded before the command is
 * known, so that `--help` answers at once.
 */
export async function runCommand(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  let exitCode: number = exitCodes.sound
  const exitsWith = async (code: Promise<number>): Promise<void> => {
    exitCode = await code
  }
  const program = new Command('wharfinger')
    .description(
      'Takes in digital records: checks every byte of every consignment and reports what to do about it.',
    )
    .version(ENGINE_VERSION, '-V, --version')
    .showSuggestionAfterError(true)
    .showHelpAfterError('(wharfinger --help shows all commands)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.out.write(text),
      writeErr: (text) => surroundings.err.write(text),
    })
    .addHelpText('after', HELP)

  const command = (name: string) => makeCommand(program, name)

  command('demo')
    .description('land the sample consignments in a new folder, check them and show the reports')
    .option('--folder <folder>', 'where to put drop zone, state and reports', './demo')
    .action(async (options) => {
      await exitsWith((await import('./demo.ts')).demo(surroundings, options))
    })
  command('run')
    .description('check one transfer, or everything complete in one drop zone, and report now')
    .argument('<address>', 'a drop zone (folder, s3://bucket/prefix or name) or one transfer in it')
    .addHelpText('after', RUN_EXAMPLES)
    .action(async (address, options) => {
      await exitsWith((await import('./run.ts')).run(surroundings, address, options))
    })
  command('sweep')
    .description('check whatever is complete in every configured drop zone')
    .option('--zone <name...>', 'only these drop zones')
    .action(async (options) => {
      await exitsWith((await import('./run.ts')).sweep(surroundings, options))
    })
  command('validate')
    .description(
      'say what is wrong before anything is sent: with a metadata table, a folder or a bag',
    )
    .argument('<path>', 'a metadata CSV or XML, a folder of records, or a BagIt bag')
    .option('--schema <xsd>', 'an XML Schema for the XML; default: the .xsd of the same name')
    .option('--fix', 'write a corrected copy beside it: encoding, delimiter, headers, plain dates')
    .action(async (file, options) => {
      await exitsWith((await import('./validate.ts')).validate(surroundings, file, options))
    })
  command('compare')
    .description('say what differs between two copies of an Office document')
    .argument('<original>', 'a docx, xlsx or pptx as it was')
    .argument('<received>', 'the same as it arrived')
    .action(async (original, received, options) => {
      const { compare } = await import('./compare.ts')
      await exitsWith(compare(surroundings, original, received, options))
    })
  command('report')
    .description('show the newest report of a consignment, or list all consignments')
    .argument('[reference]', 'consignment reference')
    .option('--list', 'list every consignment with its verdict')
    .action(async (reference, options) => {
      await exitsWith((await import('./report.ts')).report(surroundings, reference, options))
    })
  command('recheck')
    .description('read again what could not be checked, and issue the next report version')
    .argument('<reference>', 'consignment reference')
    .option('--everything', 'read every file again, not only what was unchecked')
    .requiredOption('--who <name>', 'who asks for it')
    .requiredOption('--why <reason>', 'why')
    .action(async (reference, options) => {
      await exitsWith((await import('./run.ts')).recheck(surroundings, reference, options))
    })
  for (const [name, description] of [
    ['accept', 'record that the archive accepts a consignment as its report describes it'],
    ['return', 'record that a consignment goes back to its sender'],
  ] as const) {
    command(name)
      .description(description)
      .argument('<reference>', 'consignment reference')
      .requiredOption('--who <name>', 'who decides')
      .requiredOption('--why <reason>', 'why')
      .option(
        '--report <sha256>',
        'digest of the report.json that was read; refused if a newer one exists',
      )
      .option('--zone <address>', 'the drop zone, where the configuration does not name it')
      .action(async (reference, options) => {
        await exitsWith(
          (await import('./decide.ts')).decideCommand(
            surroundings,
            name === 'accept' ? 'accepted' : 'returned',
            reference,
            options,
          ),
        )
      })
  }
  command('handover')
    .description('record that the keeper has an accepted consignment, proved by its checksums')
    .argument('<reference>', 'consignment reference')
    .requiredOption(
      '--receipt <manifest>',
      'what the keeper holds: sha256sum or any other manifest',
    )
    .requiredOption('--who <name>', 'who records it')
    .requiredOption('--why <reason>', 'why, for example where the records are now')
    .option('--mark', 'mark the records in the bucket, so that its rule may expire them')
    .action(async (reference, options) => {
      await exitsWith((await import('./handover.ts')).handover(surroundings, reference, options))
    })
  command('withdraw')
    .description('record that a consignment was sent by mistake; nothing is deleted')
    .argument('<reference>', 'consignment reference')
    .requiredOption('--who <name>', 'who withdraws it')
    .requiredOption('--why <reason>', 'why')
    .action(async (reference, options) => {
      await exitsWith(
        (await import('./decide.ts')).withdrawCommand(surroundings, reference, options),
      )
    })
  command('reindex')
    .description('rebuild the disposable index of consignments from their reports')
    .action(async (options) => {
      await exitsWith((await import('./maintain.ts')).reindexCommand(surroundings, options))
    })
  command('doctor')
    .description('try out stores, permissions, preconditions and the clock, and say what to fix')
    .action(async (options) => {
      await exitsWith((await import('./doctor.ts')).doctor(surroundings, options))
    })
  command('jobs')
    .description('list what is checked')
    .action(async (options) => {
      await exitsWith((await import('./maintain.ts')).listJobs(surroundings, options))
    })

  declareWork({ program, surroundings, exitsWith })
  declareLifecycle({ program, surroundings, exitsWith })
  declareService({ program, surroundings, exitsWith })

  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    return explain(error, surroundings)
  }
}

/** Every way a command can end badly, as words and an exit code. The only such switch. */
function explain(error: unknown, surroundings: Surroundings): number {
  if (error instanceof CommanderError)
    return error.exitCode === 0 ? exitCodes.sound : exitCodes.usage
  const name = error instanceof Error ? error.name : ''
  const message = error instanceof Error ? error.message : String(error)
  switch (name) {
    case 'ConfigError':
      surroundings.err.write(`The configuration cannot be used:\n${message.replace(/^/gm, '  ')}\n`)
      return exitCodes.usage
    case 'Refusal':
      surroundings.err.write(`Not done: ${message}.\n`)
      return exitCodes.usage
    case 'UnsureTimeError':
      surroundings.err.write(`Not done: ${message}\n`)
      return exitCodes.usage
    case 'StoreError':
      surroundings.err.write(
        `A store could not be used: ${message}\nNothing is lost: run the same command again. \`wharfinger doctor\` says more.\n`,
      )
      return exitCodes.unchecked
    case 'LandingError':
      surroundings.err.write(
        `Not finished: ${message}.\nNothing is lost: run the same command again, and it goes on from there.\n`,
      )
      return exitCodes.unchecked
    case 'ScalingError':
      surroundings.err.write(`Not done: ${message}.\n`)
      return exitCodes.unexpected
    case 'IntegrityAlarm':
      surroundings.err.write(
        `INTEGRITY ALARM: ${message}.\nDo not accept this consignment before somebody has found out why.\n`,
      )
      return exitCodes.unexpected
    default:
      surroundings.err.write(
        `Unexpected: ${error instanceof Error ? (error.stack ?? message) : message}\nThe state is kept; running again goes on where this stopped.\n`,
      )
      return exitCodes.unexpected
  }
}

const RUN_EXAMPLES = `
Examples:
  wharfinger run ./dropzone                        everything complete in a folder
  wharfinger run ./dropzone/retail/sharepoint/t1   one transfer
  wharfinger run s3://dropzone/                    a bucket
`

const HELP = `
Exit codes: 0 all sound, 1 unexpected, 2 usage or configuration, 3 completed with issues,
            4 something could not be checked, 130 stopped while working.

Start with: wharfinger demo
`
