import type { Finding } from '../model/finding.ts'

/**
 * For manifests that are CSV or JSON: the readers underneath speak of metadata, but a line that
 * cannot be read is one of a manifest, and a tool's encoding is nothing for a sender to mend.
 */
export function asManifest(report: (finding: Finding) => void): (finding: Finding) => void {
  return (finding) => {
    const { code, place, value } = finding
    if (code.startsWith('METADATA.ENCODING_')) return
    if (!code.startsWith('METADATA.')) report(finding)
    else
      report({
        code: 'MANIFEST.LINE_UNREADABLE',
        ...(place === undefined ? {} : { place }),
        ...(value === undefined ? {} : { value }),
      })
  }
}
