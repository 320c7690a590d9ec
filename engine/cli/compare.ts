import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { compareOffice, type OfficeDifference } from '../sources/office-difference.ts'
import { Refusal } from '../run/decisions.ts'
import type { CommonOptions } from './command.ts'
import { exitCodes } from './exit-code.ts'
import type { Surroundings } from './surroundings.ts'

const LARGEST_BYTES = 512 * 1024 * 1024

/** `wharfinger compare <original> <received>`: what differs between two copies of an Office document. */
export function compare(
  surroundings: Surroundings,
  original: string,
  received: string,
  options: CommonOptions,
): Promise<number> {
  const [one, other] = [original, received].map((name) => bytesOf(surroundings, name))
  if (one === undefined || other === undefined) throw new Error('bug: two names, two files')
  let difference: OfficeDifference
  try {
    difference = compareOffice(one, other)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Refusal(`one of the two cannot be compared as an Office document: ${error.message}`)
  }
  surroundings.out.write(
    options.json === true
      ? `${JSON.stringify(difference, undefined, 2)}\n`
      : `${SENTENCES[difference.verdict]}\n${difference.differs.map((name) => `  ${name}\n`).join('')}`,
  )
  return Promise.resolve(difference.verdict === 'content' ? exitCodes.issues : exitCodes.sound)
}

const SENTENCES: Readonly<Record<OfficeDifference['verdict'], string>> = {
  identical: 'Every part is the same.',
  properties:
    'The content is the same. What differs is what SharePoint writes into documents by itself:',
  content: 'The content differs:',
}

function bytesOf(surroundings: Surroundings, name: string): Uint8Array {
  const path = resolve(surroundings.folder, name)
  if (!existsSync(path) || !statSync(path).isFile()) throw new Refusal(`there is no file ${path}`)
  if (statSync(path).size > LARGEST_BYTES)
    throw new Refusal(`${path} is larger than ${LARGEST_BYTES} bytes`)
  return readFileSync(path)
}
