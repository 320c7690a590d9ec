import { checks } from '../model/code-facts.ts'
import { codes } from '../model/codes.ts'
import type { Outcome } from '../model/outcome.ts'

/** Raised when a reader of the old shape would misread the new one. */
export const REPORT_SCHEMA_VERSION = 1

type TableFile = { readonly name: string; readonly sha256: string; readonly sizeBytes: number }

/**
 * report.json: the whole outcome with every sentence written out, so that no reader needs the
 * table of codes. Its schema is docs/reference/report.schema.json.
 */
export function renderJson(
  outcome: Outcome,
  tables: { readonly findingsCsv: TableFile; readonly filesCsv: TableFile },
): string {
  const { checks: rows, findings, ...rest } = outcome
  const document = {
    schemaVersion: REPORT_SCHEMA_VERSION,
    ...rest,
    checks: rows.map((row) => ({ label: checks[row.check], ...row })),
    findings: findings.map((group) => {
      const { severity, actor, sentence, howToFix } = codes[group.code]
      return { ...group, severity, actor, sentence, howToFix }
    }),
    tables: [tables.findingsCsv, tables.filesCsv].map(({ name, sha256, sizeBytes }) => ({
      name,
      sha256,
      sizeBytes,
    })),
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}
