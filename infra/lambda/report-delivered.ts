export const SOURCE = 'wharfinger'
export const REPORT_DELIVERED = 'ReportDelivered'

/** What everybody may hear of a report: no path, no title, no metadata value. */
export type ReportDelivered = {
  readonly reference: string
  readonly attempt: number
  readonly reportVersion: number
  readonly verdict: string
  readonly status: string
  readonly counts: {
    readonly files: number
    readonly bytes: number
    readonly unchecked: number
    readonly findings: number
  }
  /** By file name: `report.html` and so on. */
  readonly links: Readonly<Record<string, string>>
}

/** Names of a report's own files; anything else listed beside them is not repeated. */
const REPORT_FILES = new Set(['report.html', 'report.json', 'findings.csv', 'files.csv'])

/** Take from `delivered.json` what may be told. Throws on a document that is not one. */
export function reportDelivered(
  delivered: unknown,
  bucket: string,
  apiUrl: string,
): ReportDelivered {
  const document = record(delivered)
  const counts = record(document['counts'])
  const reference = text(document, 'reference')
  const files = list(document['files']).map(record)
  return {
    reference,
    attempt: number(document, 'attempt'),
    reportVersion: number(document, 'reportVersion'),
    verdict: text(document, 'verdict'),
    status: text(document, 'status'),
    counts: {
      files: number(counts, 'files'),
      bytes: number(counts, 'bytes'),
      unchecked: number(counts, 'unchecked'),
      findings: list(counts['findings']).reduce<number>(
        (sum, finding) => sum + number(record(finding), 'count'),
        0,
      ),
    },
    links: {
      ...(apiUrl === ''
        ? {}
        : { dashboard: `${apiUrl}/consignments/${encodeURIComponent(reference)}` }),
      ...Object.fromEntries(
        files
          .filter((file) => REPORT_FILES.has(text(file, 'name')))
          .map((file) => [text(file, 'name'), `s3://${bucket}/${text(file, 'key')}`]),
      ),
    },
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('delivered.json cannot be read')
  return value as Record<string, unknown>
}
function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('delivered.json lacks a list')
  return value
}
function text(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new Error(`delivered.json lacks ${name}`)
  return value
}
function number(fields: Readonly<Record<string, unknown>>, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number') throw new Error(`delivered.json lacks ${name}`)
  return value
}
