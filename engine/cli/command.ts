import type { Command } from '@commander-js/extra-typings'
import type { Surroundings } from './surroundings.ts'

/** Options that every command takes. */
export type CommonOptions = {
  readonly config?: string | undefined
  readonly json?: true | undefined
  readonly quiet?: true | undefined
}

/** A command with the options that all have. */
export function makeCommand(parent: Command, name: string) {
  return parent
    .command(name)
    .option('-c, --config <file>', 'configuration (default: wharfinger.yaml here, or none)')
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'no progress bar, no hints')
}

/** What a file that declares a group of commands is given; one line in `runCommand` calls it. */
export type Declare = {
  readonly program: Command
  readonly surroundings: Surroundings
  /** Waits for a command and keeps what it returns as the exit code. */
  readonly exitsWith: (code: Promise<number>) => Promise<void>
}
