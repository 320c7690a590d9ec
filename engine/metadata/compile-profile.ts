import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { codes, type FindingCode } from '../model/codes.ts'
import type { FieldValue } from '../model/source.ts'
import { isDate } from './cell-value.ts'
import { ProfileError, type JsonSchema, type Profile, type ProfileColumn } from './profile.ts'

/** What is wrong with one property of a row. */
export type Problem = {
  readonly property: string
  readonly code: FindingCode
  readonly expected?: string
  readonly detail?: string
}

export type CompiledProfile = {
  readonly profile: Profile
  readonly columnOf: ReadonlyMap<string, ProfileColumn>
  /** What is wrong with one value on its own. `today` is YYYY-MM-DD. */
  checkValue(property: string, value: FieldValue, today: string): readonly Problem[]
  checkOpen(row: Row, today: string): readonly Problem[]
  checkClosed(row: Row, today: string): readonly Problem[]
  checkRelationships(row: Row, today: string): readonly Problem[]
}

/** Typed values by property; only the properties that the document has. */
export type Row = Readonly<Record<string, FieldValue>>

type Context = { readonly today: string }

/** Compile once for each thread. Throws ProfileError for schemas that are none. */
export function compileProfile(profile: Profile): CompiledProfile {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    passContext: true,
    allowUnionTypes: true,
    strict: 'log',
    logger: false,
    formats: { date: isDate, uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i },
  })
  ajv.addKeyword({ keyword: 'finding', schemaType: 'string' })
  ajv.addKeyword({
    keyword: 'notAfterToday',
    schemaType: 'boolean',
    type: 'string',
    error: { message: 'lies after today' },
    validate(this: Context, wanted: boolean, value: string) {
      return !wanted || !isDate(value) || value <= this.today
    },
  })
  const columnOf = new Map(profile.columns.map((column) => [column.property, column]))
  const compile = (schema: JsonSchema) => {
    try {
      return ajv.compile(schema)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      throw new ProfileError([error.message])
    }
  }
  const base = { ...profile.schemas.base, $id: `profile:${profile.id}:base` }
  compile(base)
  const values = new Map<string, ValidateFunction>()
  for (const property of Object.keys(asObject(base['properties' as keyof typeof base]))) {
    const pointer = encodeURIComponent(property.replaceAll('~', '~0').replaceAll('/', '~1'))
    values.set(property, compile({ $ref: `${base.$id}#/properties/${pointer}` }))
  }
  const rowCheck = (schema: JsonSchema | undefined) => {
    if (schema === undefined) return () => NONE
    const validate = compile(schema)
    return (row: Row, today: string) =>
      validate.call({ today }, row) ? NONE : problemsOf(validate.errors, columnOf)
  }
  const { properties: _properties, $defs: _definitions, ...baseOfRows } = profile.schemas.base
  const hasRowRules = Object.keys(baseOfRows).some(
    (keyword) => !keyword.startsWith('$') && keyword !== 'type',
  )
  const checkBase = rowCheck(hasRowRules ? { ...profile.schemas.base, properties: {} } : undefined)
  const checkRelationships = rowCheck(profile.schemas.relationships)
  return {
    profile,
    columnOf,
    checkValue(property, value, today) {
      const validate = values.get(property)
      if (validate === undefined || validate.call({ today }, value)) return NONE
      if (value === null && !hasOwnFinding(validate.errors)) {
        return [{ property, code: 'METADATA.VALUE_REQUIRED' }]
      }
      return firstOfEach(problemsOf(validate.errors, columnOf, property))
    },
    checkOpen: rowCheck(profile.schemas.open),
    checkClosed: rowCheck(profile.schemas.closed),
    checkRelationships: hasRowRules
      ? (row, today) => [...checkBase(row, today), ...checkRelationships(row, today)]
      : checkRelationships,
  }
}

const NONE: readonly Problem[] = []

/** Code by JSON Schema keyword, for schemas that name none themselves. */
const codeOfKeyword: Readonly<Record<string, FindingCode>> = {
  type: 'METADATA.VALUE_TYPE',
  enum: 'METADATA.VALUE_UNKNOWN',
  const: 'METADATA.VALUE_UNKNOWN',
  format: 'METADATA.DATE_INVALID',
  notAfterToday: 'METADATA.DATE_IN_FUTURE',
  minimum: 'METADATA.NUMBER_TOO_SMALL',
  exclusiveMinimum: 'METADATA.NUMBER_TOO_SMALL',
  maximum: 'METADATA.NUMBER_TOO_LARGE',
  exclusiveMaximum: 'METADATA.NUMBER_TOO_LARGE',
  minLength: 'METADATA.TEXT_TOO_SHORT',
  maxLength: 'METADATA.TEXT_TOO_LONG',
  minItems: 'METADATA.VALUE_REQUIRED',
  maxItems: 'METADATA.TOO_MANY_VALUES',
  uniqueItems: 'METADATA.TOO_MANY_VALUES',
  pattern: 'METADATA.TEXT_PATTERN',
  required: 'METADATA.VALUE_REQUIRED',
  additionalProperties: 'METADATA.COLUMN_UNKNOWN',
}

/** `if` and the like only say that something inside them failed. */
const CONTAINERS = new Set(['if', 'allOf', 'anyOf', 'oneOf', '$ref', 'contains'])

function problemsOf(
  errors: ValidateFunction['errors'],
  columnOf: ReadonlyMap<string, ProfileColumn>,
  ofProperty?: string,
): readonly Problem[] {
  const all = errors ?? []
  const telling = all.filter(({ keyword }) => !CONTAINERS.has(keyword))
  return (telling.length > 0 ? telling : all).map((error) => {
    const property = ofProperty ?? propertyOf(error)
    const code = ownFinding(error) ?? codeOf(error)
    const expected = expectedOf(error, columnOf.get(property))
    const detail = detailOf(error)
    return {
      property,
      code,
      ...(expected === undefined ? {} : { expected }),
      ...(detail === undefined ? {} : { detail }),
    }
  })
}

/** One finding for one cell: a wrong type explains whatever else is wrong with it. */
function firstOfEach(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>()
  const typeIsWrong = problems.some(({ code }) => code === 'METADATA.VALUE_TYPE')
  return problems.filter(({ code }) => {
    if (seen.has(code) || (typeIsWrong && code !== 'METADATA.VALUE_TYPE')) return false
    seen.add(code)
    return true
  })
}

function propertyOf(error: ErrorObject): string {
  const missing: unknown = error.params['missingProperty'] ?? error.params['additionalProperty']
  if (error.instancePath === '' && typeof missing === 'string') return missing
  const first = error.instancePath.split('/')[1] ?? ''
  return first.replaceAll('~1', '/').replaceAll('~0', '~')
}

function codeOf({ keyword, params }: ErrorObject): FindingCode {
  if (keyword === 'format' && params['format'] !== 'date') return 'METADATA.TEXT_PATTERN'
  return codeOfKeyword[keyword] ?? 'METADATA.VALUE_UNKNOWN'
}

function ownFinding(error: ErrorObject): FindingCode | undefined {
  const code = asObject(error.parentSchema)['finding']
  return typeof code === 'string' && isCode(code) ? code : undefined
}

function hasOwnFinding(errors: ValidateFunction['errors']): boolean {
  return (errors ?? []).some((error) => ownFinding(error) !== undefined)
}

function isCode(code: string): code is FindingCode {
  return Object.hasOwn(codes, code)
}

const SHOWN_VALUES = 8

function expectedOf(error: ErrorObject, column: ProfileColumn | undefined): string | undefined {
  const params: Readonly<Record<string, unknown>> = error.params
  switch (error.keyword) {
    case 'type':
      return params['type'] === 'null' || ownFinding(error) !== undefined
        ? undefined
        : expectedKind(column?.type)
    case 'enum': {
      const allowed = asList(params['allowedValues']).filter((value) => value !== null)
      const shown = allowed.slice(0, SHOWN_VALUES).map(String).join(', ')
      return allowed.length > SHOWN_VALUES
        ? `one of ${allowed.length} values: ${shown} ...`
        : `one of: ${shown}`
    }
    case 'format':
      return params['format'] === 'date' ? 'YYYY-MM-DD' : String(params['format'])
    case 'minimum':
      return `at least ${String(params['limit'])}`
    case 'maximum':
      return `at most ${String(params['limit'])}`
    case 'minLength':
      return `at least ${String(params['limit'])} characters`
    case 'maxLength':
      return `at most ${String(params['limit'])} characters`
    case 'maxItems':
      return `at most ${String(params['limit'])}`
    default:
      return undefined
  }
}

function expectedKind(type: ProfileColumn['type'] | undefined): string | undefined {
  switch (type) {
    case 'flag':
      return 'Yes or No'
    case 'integer':
      return 'a whole number'
    case 'integers':
      return 'whole numbers separated by ";"'
    case 'date':
      return 'YYYY-MM-DD'
    case 'list':
      return 'values separated by ";"'
    case 'text':
      return 'text'
    case undefined:
      return undefined
  }
}

function detailOf({ keyword, data }: ErrorObject): string | undefined {
  if (typeof data !== 'string') return undefined
  const isListed = keyword === 'enum' || keyword === 'type'
  return isListed && data !== data.trim()
    ? `Take out the space before or after "${data.trim()}".`
    : undefined
}

function asObject(value: unknown): JsonSchema {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value))
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
