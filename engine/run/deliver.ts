import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { Store } from '../adapters/store.ts'
import { renderTdrErrorFile } from '../metadata/tdr-error-file.ts'
import { codes, type FindingCode } from '../model/codes.ts'
import type { Outcome, OutcomeTables, Status, Verdict } from '../model/outcome.ts'
import type { Attempt } from '../model/transfer.ts'
import { findingsCsv } from '../report/csv.ts'
import { renderHtml } from '../report/html.ts'
import { renderJson } from '../report/json.ts'
import { claim, mark, readStateIfThere } from './create-once.ts'
import { deliveredKey, markerKey, reportPrefix, statusKey, summaryKey } from './state-layout.ts'

/** One file of a delivered report. */
export type ReportFile = {
  readonly name: string
  /** Key in the reports store. */
  readonly key: string
  readonly sha256: string
  readonly sizeBytes: number
}

/** The object that makes a report exist: written last, once. */
export type Delivered = {
  readonly reference: string
  readonly attempt: number
  readonly reportVersion: number
  readonly verdict: Verdict
  readonly status: Status
  readonly sentence: string
  readonly files: readonly ReportFile[]
  readonly counts: {
    readonly files: number
    readonly bytes: number
    readonly findings: readonly { readonly code: FindingCode; readonly count: number }[]
    readonly unchecked: number
  }
  readonly transfer: Outcome['transfer']
  readonly deliveredAt: string
}

export type DeliverOptions = {
  readonly state: Store
  readonly reports: Store
  readonly scratch: string
  readonly now: Date
}

/**
 * Write the report's files under their own digests, then the one object that lists them. Two
 * processes may both do this: their files lie side by side and only one list wins.
 */
export async function deliverReport(
  attempt: Attempt,
  outcome: Outcome,
  tables: OutcomeTables,
  options: DeliverOptions,
): Promise<Delivered> {
  const { reports } = options
  const prefix = reportPrefix(attempt, outcome.reportVersion)
  const write = (name: string, body: AsyncIterable<string> | string) =>
    writeByDigest(reports, prefix, name, body, options.scratch)
  const [findings, files, tdrErrors] = await Promise.all([
    write('findings.csv', findingsCsv(tables)),
    write('files.csv', tables.filesCsv()),
    tables.metadataFindings === undefined
      ? undefined
      : write(
          'draft-metadata-errors.json',
          renderTdrErrorFile(
            { consignmentId: attempt.transfer.transferId, date: outcome.run.sealedAt.slice(0, 10) },
            () => tables.metadataFindings?.() ?? none(),
            ({ code, detail }) =>
              [codes[code].sentence, detail, codes[code].howToFix].filter(Boolean).join(' '),
          ),
        ),
  ])
  const json = await write(
    'report.json',
    renderJson(outcome, { findingsCsv: findings, filesCsv: files }),
  )
  const html = await write(
    'report.html',
    renderHtml(outcome, {
      findingsCsv: link(findings),
      filesCsv: link(files),
      reportJson: link(json),
      ...(tdrErrors === undefined ? {} : { tdrErrors: link(tdrErrors) }),
    }),
  )
  const delivered: Delivered = {
    reference: outcome.reference,
    attempt: outcome.attempt,
    reportVersion: outcome.reportVersion,
    verdict: outcome.verdict,
    status: outcome.status,
    sentence: outcome.sentence,
    files: [html, json, findings, files, ...(tdrErrors === undefined ? [] : [tdrErrors])],
    counts: {
      files: outcome.totals.files,
      bytes: outcome.totals.bytes,
      findings: outcome.findings.map(({ code, count }) => ({ code, count })),
      unchecked: outcome.unchecked.reduce((sum, { count }) => sum + count, 0),
    },
    transfer: outcome.transfer,
    deliveredAt: options.now.toISOString(),
  }
  const { value } = await claim(reports, deliveredKey(attempt, outcome.reportVersion), delivered)
  return value
}

/** What follows from a delivered report and may be lost and written again. */
export async function announceDelivery(
  attempt: Attempt,
  delivered: Delivered,
  options: Pick<DeliverOptions, 'state' | 'reports'>,
): Promise<void> {
  const { state, reports } = options
  await mark(
    state,
    summaryKey(attempt.reference, attempt.number, delivered.reportVersion),
    delivered,
  )
  await writeStatus(reports, attempt, {
    status: delivered.status,
    verdict: delivered.verdict,
    reportVersion: delivered.reportVersion,
    files: delivered.files,
  })
  await mark(state, markerKey(attempt.transfer, `delivered-${delivered.reportVersion}.json`), {
    deliveredAt: delivered.deliveredAt,
  })
}

/** The sender's view, in its own prefix of the reports area: replaced at each step. */
export async function writeStatus(
  reports: Store,
  attempt: Attempt,
  status: {
    readonly status: Status
    readonly verdict?: Verdict
    readonly reportVersion?: number
    readonly files?: readonly ReportFile[]
  },
): Promise<void> {
  const content = {
    reference: attempt.reference,
    attempt: attempt.number,
    transferId: attempt.transfer.transferId,
    ...status,
  }
  await reports.write(statusKey(attempt.transfer), JSON.stringify(content, undefined, 2))
}

export async function readDelivered(
  reports: Store,
  attempt: Attempt,
  version: number,
): Promise<Delivered | undefined> {
  return readStateIfThere<Delivered>(reports, deliveredKey(attempt, version))
}

async function* none(): AsyncGenerator<never> {}

/** Digest folders stand side by side, so a link goes one up. */
function link(file: ReportFile): { href: string; sha256: string } {
  return {
    href: `../${file.sha256.slice(0, DIGEST_FOLDER_CHARACTERS)}/${file.name}`,
    sha256: file.sha256,
  }
}

const DIGEST_FOLDER_CHARACTERS = 16

async function writeByDigest(
  reports: Store,
  prefix: string,
  name: string,
  body: AsyncIterable<string> | string,
  scratch: string,
): Promise<ReportFile> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  const file = join(scratch, name)
  const out = createWriteStream(file)
  for await (const text of typeof body === 'string' ? [body] : body) {
    const bytes = Buffer.from(text)
    hash.update(bytes)
    sizeBytes += bytes.length
    if (!out.write(bytes)) await once(out, 'drain')
  }
  out.end()
  await finished(out)
  const sha256 = hash.digest('hex')
  const key = `${prefix}${sha256.slice(0, DIGEST_FOLDER_CHARACTERS)}/${name}`
  await reports.write(key, createReadStream(file))
  return { name, key, sha256, sizeBytes }
}
