import tdr from './profiles/tdr.json' with { type: 'json' }

/** How a cell's text becomes a value. 'integers' and 'list' are separated by the profile's separator. */
export type ColumnType = 'text' | 'date' | 'flag' | 'integer' | 'integers' | 'list'
const columnTypes: readonly ColumnType[] = ['text', 'date', 'flag', 'integer', 'integers', 'list']

export type ProfileColumn = {
  /** Name in storage, in schemas and in `fields`. */
  readonly property: string
  /** Header in the CSV, where the property can be a column. */
  readonly header?: string
  readonly type: ColumnType
  /** Value that an empty cell stands for. Never for a closure. */
  readonly default?: string
  /** May not be edited by the sender. */
  readonly protected?: boolean
}

/** Rules that JSON Schema cannot say, by name. */
const ruleNames = ['closure-start-date', 'code-period-count', 'foi-schedule-date'] as const
export type RuleName = (typeof ruleNames)[number]

/**
 * What metadata rows have to be: data, versioned, stamped on the report. A transferring body can
 * bring its own. `schemas.base` is JSON Schema 2020-12 for one row by property, with two keywords
 * of ours: `finding` (the code to report) and `notAfterToday`. The other schemas hold for open
 * rows, for closed rows, and between fields of any row.
 */
export type Profile = {
  readonly id: string
  readonly version: string
  readonly summary: string
  readonly listSeparator: string
  readonly rules: readonly RuleName[]
  readonly requiredHeaders: readonly string[]
  readonly columns: readonly ProfileColumn[]
  readonly schemas: {
    readonly base: JsonSchema
    readonly open?: JsonSchema
    readonly closed?: JsonSchema
    readonly relationships?: JsonSchema
  }
}

export type JsonSchema = Readonly<Record<string, unknown>>

/** A profile that cannot be used, with every reason. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`The metadata profile cannot be used: ${problems.join('; ')}.`)
    this.problems = problems
  }
}

export const tdrProfile: Profile = parseProfile(tdr)

/** Take a profile from a file. Throws one ProfileError with every problem found. */
export function parseProfile(value: unknown): Profile {
  const problems: string[] = []
  const profile = object(value)
  const text = (name: string) => {
    const field = profile[name]
    if (typeof field === 'string' && field !== '') return field
    problems.push(`"${name}" is not a text`)
    return ''
  }
  const columns = list(profile['columns']).map((entry, i) => readColumn(object(entry), i, problems))
  if (columns.length === 0) problems.push('"columns" is not a list of columns')
  const known = new Set(columns.map(({ property }) => property))
  const requiredHeaders = list(profile['requiredHeaders']).map(String)
  for (const property of requiredHeaders) {
    if (!known.has(property)) problems.push(`required header "${property}" is not a column`)
  }
  const rules = list(profile['rules']).map(String)
  for (const rule of rules) {
    if (!isRule(rule)) problems.push(`rule "${rule}" is not known`)
  }
  const schemas = object(profile['schemas'])
  if (schemas['base'] === undefined) problems.push('"schemas.base" is missing')
  const read: Profile = {
    id: text('id'),
    version: text('version'),
    summary: text('summary'),
    listSeparator: text('listSeparator'),
    rules: rules.filter(isRule),
    requiredHeaders,
    columns,
    schemas: {
      base: object(schemas['base']),
      ...(schemas['open'] === undefined ? {} : { open: object(schemas['open']) }),
      ...(schemas['closed'] === undefined ? {} : { closed: object(schemas['closed']) }),
      ...(schemas['relationships'] === undefined
        ? {}
        : { relationships: object(schemas['relationships']) }),
    },
  }
  if (problems.length > 0) throw new ProfileError(problems)
  return read
}

function readColumn(entry: JsonSchema, index: number, problems: string[]): ProfileColumn {
  const { property, header, type, default: fallback, protected: isProtected } = entry
  const known = columnTypes.find((name) => name === type)
  if (typeof property !== 'string') problems.push(`column ${index + 1} has no "property"`)
  if (known === undefined) problems.push(`column ${index + 1} has an unknown "type"`)
  return {
    property: String(property),
    type: known ?? 'text',
    ...(typeof header === 'string' ? { header } : {}),
    ...(typeof fallback === 'string' ? { default: fallback } : {}),
    ...(isProtected === true ? { protected: true } : {}),
  }
}

function isRule(name: string): name is RuleName {
  return (ruleNames as readonly string[]).includes(name)
}

function object(value: unknown): JsonSchema {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  return Object.fromEntries(Object.entries(value))
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
