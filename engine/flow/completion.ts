import type { Completion } from '../model/transfer.ts'

/** A complete.json as read: usable, or with what is wrong with it in a plain sentence. */
export type ReadCompletion =
  | { readonly kind: 'valid'; readonly completion: Completion }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }

const COMPLETE_NAME = /^complete(?:\.(\d+))?\.json$/

/** The number of a `complete.json` (1) or `complete.N.json` (N); undefined for other names. */
export function completionNumber(name: string): number | undefined {
  const match = COMPLETE_NAME.exec(name)
  if (match === null) return undefined
  return match[1] === undefined ? 1 : Number(match[1])
}

/**
 * Read the bytes of a complete.json. Field names follow TDR's LoadCompletion; everything is
 * optional, so `{}` says no more than that the upload has ended.
 */
export function readCompletion(bytes: Uint8Array): ReadCompletion {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not valid JSON' : 'it is not UTF-8 text'
    return { kind: 'invalid', problems: [why] }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { kind: 'invalid', problems: ['it is not a JSON object'] }
  }
  const fields = new Map(Object.entries(value))
  const problems: string[] = []
  const text = (name: string): string | undefined => {
    const field = fields.get(name)
    if (field === undefined || field === null) return undefined
    if (typeof field === 'string' && field.length > 0 && field.length <= 1000) return field
    problems.push(`\`${name}\` has to be a text of 1 to 1,000 characters`)
    return undefined
  }
  const count = (name: string): number | undefined => {
    const field = fields.get(name)
    if (field === undefined || field === null) return undefined
    if (typeof field === 'number' && Number.isSafeInteger(field) && field >= 0) return field
    problems.push(`\`${name}\` has to be a whole number, 0 or more`)
    return undefined
  }
  const texts = (name: string, read: (item: unknown) => string | undefined): string[] => {
    const field = fields.get(name)
    if (field === undefined || field === null) return []
    const list = Array.isArray(field) ? field.map(read) : [undefined]
    if (list.every((item) => item !== undefined)) return list
    problems.push(`\`${name}\` has to be a list of texts`)
    return []
  }
  const metadataOnly = fields.get('metadataOnly')
  if (metadataOnly !== undefined && typeof metadataOnly !== 'boolean') {
    problems.push('`metadataOnly` has to be true or false')
  }
  const optional = {
    expectedNumberFiles: count('expectedNumberFiles'),
    loadedNumberFiles: count('loadedNumberFiles'),
    transferringBody: text('transferringBody'),
    series: text('series'),
    contact: text('contact'),
    priority: count('priority'),
    reference: text('reference'),
    corrects: text('corrects'),
  }
  const loadErrors = texts('loadErrors', readLoadError)
  const remove = texts('remove', (item) => (typeof item === 'string' ? item : undefined))
  if (problems.length > 0) return { kind: 'invalid', problems }
  return {
    kind: 'valid',
    completion: {
      ...withoutUndefined(optional),
      loadErrors,
      remove,
      metadataOnly: metadataOnly === true,
    },
  }
}

/** TDR's clients send `{ message }`; a plain text is taken as well. */
function readLoadError(item: unknown): string | undefined {
  if (typeof item === 'string') return item
  if (typeof item === 'object' && item !== null && 'message' in item) {
    return typeof item.message === 'string' ? item.message : undefined
  }
  return undefined
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function withoutUndefined<T extends Record<string, unknown>>(fields: T): Defined<T> {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(kept) as Defined<T>
}
