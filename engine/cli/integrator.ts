import { isIntegratorName } from '../service/principal.ts'
import { Refusal } from '../run/decisions.ts'
import type { CommonOptions } from './command.ts'
import { exitCodes } from './exit-code.ts'
import { loadConfig, openRetrying, zoneFor, type Surroundings } from './surroundings.ts'

const TEST_NAME = 'connection-test.txt'
const TEST_TEXT = 'Written by `wharfinger integrator add`. It is no transfer, and may stay.\n'

type Added = {
  readonly integrator: string
  readonly zone: string
  readonly address: string
  readonly testUpload: 'written' | 'there already'
  readonly next: readonly string[]
}

/**
 * `wharfinger integrator add`: make the integrator's place in a drop zone, try it with an upload
 * that is refused a second time, and say what remains to be done for it to send.
 */
export async function addIntegrator(
  surroundings: Surroundings,
  name: string,
  options: CommonOptions & {
    readonly zone?: string | undefined
    readonly role?: string | undefined
  },
): Promise<number> {
  if (!isIntegratorName(name))
    throw new Refusal(
      `\`${name}\` cannot be the name of a folder: letters, digits, hyphens, dots and underscores`,
    )
  const config = await loadConfig(surroundings, options.config)
  const zone =
    options.zone === undefined
      ? config.dropZones[0]
      : zoneFor(config, options.zone, surroundings.folder)
  if (zone === undefined)
    throw new Refusal('no drop zone is configured: name one with --zone, or add `dropZones`')
  const store = openRetrying(zone.store)
  try {
    const key = `${name}/${TEST_NAME}`
    const first = await store.createIfAbsent(key, TEST_TEXT)
    if ((await store.createIfAbsent(key, 'another')) !== 'exists')
      throw new Error(`${store.address} let a second upload replace the first one`)
    const added: Added = {
      integrator: name,
      zone: zone.name,
      address: `${store.address.replace(/\/$/, '')}/${name}/`,
      testUpload: first === 'created' ? 'written' : 'there already',
      next: nextSteps(name, zone.name, options.role, {
        bucket: zone.store.kind === 's3',
        claim: config.service.oidc?.claims.integrator,
        url: config.service.url,
        to: zone.store.kind === 's3' ? store.address : zone.store.path,
      }),
    }
    surroundings.out.write(
      options.json === true ? `${JSON.stringify(added, undefined, 2)}\n` : inWords(added),
    )
    return exitCodes.sound
  } finally {
    await store.close()
  }
}

function nextSteps(
  name: string,
  zone: string,
  role: string | undefined,
  about: {
    readonly bucket: boolean
    readonly claim: string | undefined
    readonly url: string | undefined
    readonly to: string
  },
): string[] {
  const { bucket, claim, url, to } = about
  return [
    ...(bucket
      ? [
          `a role that may write there and read its own reports: add to the deployment's settings, and deploy:\n     "integrators": [${JSON.stringify({ name, zone, assumedBy: role ?? '<account id or role ARN>' })}]`,
        ]
      : []),
    ...(claim === undefined
      ? []
      : [
          `tokens for the service: give the client the claim \`${claim}\` with the value "${name}"`,
        ]),
    `the first transfer:\n     ${
      url === undefined || claim === undefined
        ? `wharfinger push <folder> --to ${to} --integrator ${name}`
        : `WHARFINGER_TOKEN=... wharfinger push <folder> --to ${url} --wait`
    }`,
  ]
}

function inWords({ integrator, address, testUpload, next }: Added): string {
  return [
    `${integrator} lands in ${address}`,
    `Test upload: ${testUpload}, and refused a second time, as it should be.`,
    'What is left to do:',
    ...next.map((step, index) => `  ${index + 1}. ${step}`),
    '',
  ].join('\n')
}
