import type { Delivered } from '../run/deliver.ts'

/** Columns of text, each as wide as its widest cell. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows
    .map(
      (row) =>
        row
          .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
          .join('  ')
          .trimEnd() + '\n',
    )
    .join('')
}

/** The table at the end of `run`, `sweep` and `demo`. */
export function renderVerdicts(
  delivered: readonly Delivered[],
  addressOf: (one: Delivered) => string,
): string {
  const header = ['CONSIGNMENT', 'TRANSFER', 'VERDICT', 'FILES', 'REPORT']
  return renderTable([
    header,
    ...delivered.map((one) => [
      one.attempt > 1 ? `${one.reference} (attempt ${one.attempt})` : one.reference,
      one.transfer.transferId,
      one.verdict,
      one.counts.files.toLocaleString('en-GB'),
      addressOf(one),
    ]),
  ])
}

export function reportAddress(delivered: Delivered, reportsAddress: string): string {
  const html = delivered.files.find(({ name }) => name === 'report.html')
  return `${reportsAddress.replace(/\/$/, '')}/${html?.key ?? ''}`
}
