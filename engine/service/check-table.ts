import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createFolderStore } from '../adapters/folder-store.ts'
import { compileProfile } from '../metadata/compile-profile.ts'
import { tdrProfile } from '../metadata/profile.ts'
import { codes } from '../model/codes.ts'
import type { Finding } from '../model/finding.ts'
import { openDocument } from '../adapters/sealed-document.ts'
import { checkMetadataDocument } from '../sources/check-metadata.ts'
import { tdrMetadataCsv } from '../sources/tdr-metadata-csv.ts'
import type { ServiceContext } from './context.ts'
import { Problem } from './problem.ts'

export type TableCheck = {
  readonly rows: number
  readonly passed: number
  readonly failed: number
  readonly profile: { readonly id: string; readonly version: string }
  /** The first of them, in row order. */
  readonly findings: readonly (Finding & {
    readonly severity: string
    readonly sentence: string
    readonly howToFix: string
  })[]
  /** How many there are in all. */
  readonly findingsTotal: number
}

const SHOWN = 1000
const NAME = 'metadata.csv'

/** Say what is wrong with a metadata table before anything is sent. The body goes to scratch, not to memory. */
export async function checkTable(
  { config, now }: ServiceContext,
  body: AsyncIterable<Uint8Array>,
): Promise<TableCheck> {
  const scratch = await mkdtemp(join(config.scratch, 'wharfinger-table-'))
  try {
    await pipeline(
      Readable.from(atMost(body, config.service.limits.metadataBytes), { objectMode: false }),
      createWriteStream(join(scratch, NAME)),
    )
    const folder = createFolderStore(scratch)
    const file = await folder.head(NAME)
    if (file === undefined) throw new Error('bug: the table that was just written is not there')
    const document = await openDocument(folder, { ...file, root: '' })
    const findings: TableCheck['findings'][number][] = []
    let findingsTotal = 0
    const { rows, passed, failed, profile } = await checkMetadataDocument(
      document,
      tdrMetadataCsv,
      { profile: compileProfile(tdrProfile), today: now().toISOString().slice(0, 10) },
      (finding) => {
        if (findingsTotal++ >= SHOWN) return
        const { severity, sentence, howToFix } = codes[finding.code]
        findings.push({ ...finding, severity, sentence, howToFix })
      },
    )
    const { profileId: id, profileVersion: version } = profile
    return { rows, passed, failed, profile: { id, version }, findings, findingsTotal }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function* atMost(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const piece of body) {
    bytes += piece.byteLength
    if (bytes > maxBytes)
      throw new Problem(413, 'Too large', `A table may have ${maxBytes} bytes at most.`)
    yield piece
  }
}
