import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseStoreAddress } from '../adapters/open-store.ts'
import { createApiLanding } from '../push/api-landing.ts'
import { journalFile } from '../push/journal.ts'
import type { Landing, Outcome } from '../push/landing.ts'
import { push as pushFolder, type PushProgress } from '../push/push.ts'
import { createZoneLanding } from '../push/zone-landing.ts'
import { Refusal } from '../run/decisions.ts'
import type { CommonOptions } from './command.ts'
import { exitCodes } from './exit-code.ts'
import type { Surroundings } from './surroundings.ts'

export type PushCommandOptions = CommonOptions & {
  readonly to: string
  readonly source: string
  readonly integrator?: string | undefined
  readonly token?: string | undefined
  readonly tokenFile?: string | undefined
  readonly correct?: true | undefined
  readonly wait?: true | undefined
  readonly parallel: string
  readonly body?: string | undefined
  readonly series?: string | undefined
  readonly contact?: string | undefined
}

/** `wharfinger push <folder> --to <url or drop zone>`. */
export async function push(
  surroundings: Surroundings,
  name: string,
  options: PushCommandOptions,
): Promise<number> {
  const folder = resolve(surroundings.folder, name)
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new Refusal(`there is no folder ${folder}`)
  const parallel = Number(options.parallel)
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > 64)
    throw new Refusal(`--parallel takes a number from 1 to 64, not ${options.parallel}`)
  const landing = landingFor(surroundings, options)
  if (options.wait === true && landing.outcome === undefined)
    throw new Refusal(
      '--wait needs the address of the service: a drop zone does not tell what became of it',
    )
  const bar = await progressBar(surroundings, options.quiet === true)
  const stop = surroundings.signal
  try {
    const pushed = await pushFolder({
      folder,
      landing,
      source: options.source,
      journal: journalFile(folder),
      correct: options.correct === true,
      parallel,
      about: {
        ...(options.body === undefined ? {} : { transferringBody: options.body }),
        ...(options.series === undefined ? {} : { series: options.series }),
        ...(options.contact === undefined ? {} : { contact: options.contact }),
      },
      signal: stop,
      onProgress: (progress) => bar.update(progress),
    })
    bar.stop()
    const outcome =
      options.wait === true
        ? await landing.outcome?.(pushed.transferId, stop, said(surroundings, options))
        : undefined
    surroundings.out.write(
      options.json === true
        ? `${JSON.stringify({ ...pushed, ...outcome }, undefined, 2)}\n`
        : inWords(pushed, outcome),
    )
    return outcome === undefined || outcome.verdict.startsWith('READY')
      ? exitCodes.sound
      : exitCodes.issues
  } catch (error) {
    if (!stop.aborted) throw error
    surroundings.err.write('Stopped. The same command goes on from there.\n')
    return exitCodes.stopped
  } finally {
    bar.stop()
    await landing.close()
  }
}

function inWords(
  {
    transferId,
    reference,
    sent,
    kept,
    removed,
    changedMeanwhile,
  }: Awaited<ReturnType<typeof pushFolder>>,
  outcome: Outcome | undefined,
): string {
  const files = (count: number) => `${count} ${count === 1 ? 'file' : 'files'}`
  const lines = [
    `Sent ${files(sent)}${kept > 0 ? `, ${kept} there already` : ''}${removed > 0 ? `, ${removed} taken back` : ''}.`,
    `Transfer ${transferId}${reference === undefined ? '' : `, consignment ${reference}`}.`,
    ...(changedMeanwhile > 0
      ? [
          `${files(changedMeanwhile)} changed after being sent: run it again with --correct to send what they are now.`,
        ]
      : []),
    ...(outcome === undefined
      ? ['Keep your copies until the archive has accepted the consignment.']
      : [`${outcome.verdict}: ${outcome.sentence}`]),
    ...(outcome?.report === undefined ? [] : [`Report: ${outcome.report}`]),
  ]
  return `${lines.join('\n')}\n`
}

function landingFor(surroundings: Surroundings, options: PushCommandOptions): Landing {
  const { to, source } = options
  if (!/^(?:sharepoint|networkdrive|harddrive|googledrive)$/.test(source))
    throw new Refusal(
      `--source is one of sharepoint, networkdrive, harddrive, googledrive, not ${source}`,
    )
  if (/^https?:/.test(to)) {
    refuseReadable(to)
    const token = readToken(surroundings, options)
    return createApiLanding({ url: to, source, token, signal: surroundings.signal })
  }
  const { integrator } = options
  if (integrator === undefined || !/^[A-Za-z0-9][A-Za-z0-9@._-]{0,99}$/.test(integrator))
    throw new Refusal('a drop zone needs --integrator: the name of your folder in it')
  const { env } = surroundings
  const endpoint = env['AWS_ENDPOINT_URL_S3']
  return createZoneLanding({
    store: parseStoreAddress(to, {
      folder: surroundings.folder,
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    }),
    integrator,
    source,
    newTransferId: randomUUID,
    now: surroundings.now,
  })
}

/** A token that crosses a network unencrypted belongs to everybody on it. */
function refuseReadable(to: string): void {
  if (!URL.canParse(to)) throw new Refusal(`${to} is no address`)
  const { protocol, hostname } = new URL(to)
  if (protocol === 'http:' && !['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
    throw new Refusal('over http:// the token could be read on the way: use the https:// address')
}

function readToken({ env, folder }: Surroundings, options: PushCommandOptions): string {
  let token = options.token ?? env['WHARFINGER_TOKEN'] ?? ''
  if (options.tokenFile !== undefined)
    try {
      token = readFileSync(resolve(folder, options.tokenFile), 'utf8')
    } catch {
      throw new Refusal(`the file ${options.tokenFile} cannot be read`)
    }
  token = token.trim()
  if (token === '')
    throw new Refusal('the service wants to know who you are: WHARFINGER_TOKEN, or --token-file')
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new Refusal('the token holds characters that no token has')
  return token
}

/** What it waits for, each step once. */
function said(surroundings: Surroundings, options: CommonOptions): (step: string) => void {
  let last = ''
  return (step) => {
    const plain = step.replace(/ \d+ of \d+$/, '')
    if (options.quiet === true || plain === last) return
    last = plain
    surroundings.err.write(`${step} ...\n`)
  }
}

async function progressBar(surroundings: Surroundings, quiet: boolean) {
  if (quiet || !surroundings.err.isTerminal)
    return { update: (_progress: PushProgress) => undefined, stop: () => undefined }
  const { default: cliProgress } = await import('cli-progress')
  const bar = new cliProgress.SingleBar({
    format: '{bar} {percentage}% {done}/{files} files, {mb} MB',
    stream: process.stderr,
    hideCursor: true,
  })
  let started = false
  return {
    update({ files, filesDone, bytes, bytesDone }: PushProgress) {
      if (!started) bar.start(Math.max(1, bytes), 0, { files, done: 0, mb: 0 })
      started = true
      const mb = (bytesDone / 1e6).toFixed(1)
      bar.update(filesDone === files ? Math.max(1, bytes) : bytesDone, { done: filesDone, mb })
    },
    stop() {
      if (started) bar.stop()
      started = false
    },
  }
}
