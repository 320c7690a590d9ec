import written from './price-book.json' with { type: 'json' }

/** One price as somebody published it. */
export type PriceLine = {
  readonly item: string
  /** What one of is priced, for example `vCPU-hour`. */
  readonly unit: string
  /** AWS region, or `any`. */
  readonly region: string
  /** Undefined where no figure is known: such a cost is shown as unknown, never as nothing. */
  readonly amountUsd: number | undefined
  readonly source: string
  /** When the source was read; undefined where that was not recorded. */
  readonly date: string | undefined
  readonly note: string | undefined
}

export type PriceBook = readonly PriceLine[]

/** Check a price book. Throws one error that lists every problem. */
export function readPriceBook(json: unknown): PriceBook {
  const listed = isRecord(json) ? json['lines'] : undefined
  if (!Array.isArray(listed)) throw new Error('The price book has no list of lines.')
  const problems: string[] = []
  const seen = new Set<string>()
  const lines = listed.flatMap((line: unknown, index): PriceLine[] => {
    const where = `line ${index + 1} of the price book`
    if (!isRecord(line)) {
      problems.push(`${where} is not an object`)
      return []
    }
    const item = word(line['item'])
    const unit = word(line['unit'])
    const region = word(line['region'])
    const source = word(line['source'])
    if (item === undefined || unit === undefined || region === undefined || source === undefined) {
      problems.push(`${where} needs item, unit, region and source`)
      return []
    }
    const amount = line['amountUsd']
    const known = typeof amount === 'number' && Number.isFinite(amount) && amount >= 0
    const note = word(line['note'])
    if (!known && (amount !== null || note === undefined))
      problems.push(`${where}: amountUsd is a number from 0, or null with a note that says why`)
    if (seen.has(`${item} ${region}`))
      problems.push(`${where}: ${item} in ${region} is there twice`)
    seen.add(`${item} ${region}`)
    const amountUsd = known ? amount : undefined
    return [{ item, unit, region, amountUsd, source, date: word(line['date']), note }]
  })
  if (problems.length > 0) throw new Error(`The price book cannot be used:\n${problems.join('\n')}`)
  return lines
}

/** The line for an item in a region. Throws where the book has none. */
export function priceLine(book: PriceBook, item: string, region: string): PriceLine {
  const found = book.find((one) => one.item === item && [region, 'any'].includes(one.region))
  if (found === undefined) {
    throw new Error(`The price book has no ${item} in ${region}: add a line with its source.`)
  }
  return found
}

/** A price that must be known. Throws where the book gives no figure. */
export function priceUsd(book: PriceBook, item: string, region: string): number {
  const { amountUsd, note } = priceLine(book, item, region)
  if (amountUsd === undefined) throw new Error(`No price is known of ${item} in ${region}: ${note}`)
  return amountUsd
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const shippedPriceBook: PriceBook = readPriceBook(written)
