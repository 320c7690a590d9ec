/** One request as IAM sees it; keys of `context` are lower-case, a list is a multi-valued key. */
export type Request = {
  readonly principal: string
  readonly action: string
  readonly resource: string
  readonly context: Readonly<Record<string, string | readonly string[]>>
}

/** A rendered statement, with ARNs resolved to texts. */
export type Statement = {
  readonly Effect: string
  /** Of a resource's policy; a role's own has none. */
  readonly Principal?: Readonly<Record<string, string | readonly string[]>>
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | readonly string[]>>>
  >
}

export type Answer = 'allowed' | 'denied' | 'not allowed'

/**
 * IAM's evaluation inside one account for the statements given: an explicit deny wins, then any
 * allow. Knows the condition operators that this project's templates use, and throws on others, so
 * that none is taken for met. Source: IAM user guide, "Policy evaluation logic" and "Condition operators".
 */
export function evaluate(statements: readonly Statement[], request: Request): Answer {
  const context = { ...request.context, 'aws:principalarn': request.principal }
  const matching = statements.filter(
    ({ Principal, Action, Resource, Condition }) =>
      (Principal === undefined || isMeant(Principal, request.principal)) &&
      list(Action).some((action) => like(action.toLowerCase(), request.action.toLowerCase())) &&
      list(Resource).some((resource) => like(resource, request.resource)) &&
      Object.entries(Condition ?? {}).every(([operator, keys]) =>
        Object.entries(keys).every(([key, wanted]) => met(operator, key, list(wanted), context)),
      ),
  )
  if (matching.some(({ Effect }) => Effect === 'Deny')) return 'denied'
  return matching.some(({ Effect }) => Effect === 'Allow') ? 'allowed' : 'not allowed'
}

function isMeant(principal: NonNullable<Statement['Principal']>, who: string): boolean {
  return list(principal['AWS'] ?? []).some((arn) => arn === '*' || arn === who)
}

function met(
  operator: string,
  key: string,
  wanted: readonly string[],
  context: Request['context'],
): boolean {
  const given = context[key.toLowerCase()]
  const values = given === undefined ? [] : list(given)
  const expected = wanted.map((text) => substitute(text, context))
  const any = (same: (pattern: string, value: string) => boolean) =>
    values.some((value) => expected.some((text) => text !== undefined && same(text, value)))
  const equal = (a: string, b: string) => a === b
  switch (operator) {
    case 'Null':
      return (given === undefined) === (wanted[0] === 'true')
    case 'Bool':
    case 'StringEquals':
    case 'ForAnyValue:StringEquals':
      return any(equal)
    case 'StringLike':
    case 'ArnEquals':
    case 'ArnLike':
      return any(like)
    // Negated operators are met where the key is missing.
    case 'StringNotEquals':
      return !any(equal)
    case 'ArnNotEquals':
      return !any(like)
    case 'NumericLessThan':
      return values.some((value) => expected.some((text) => Number(value) < Number(text)))
    default:
      throw new Error(`no idea what ${operator} means`)
  }
}

/** `${key}`; a variable without a value matches nothing. */
function substitute(text: string, context: Request['context']): string | undefined {
  const name = /^\$\{([^}]+)\}$/.exec(text)?.[1]
  if (name === undefined) return text
  const value = context[name.toLowerCase()]
  return typeof value === 'string' ? value : undefined
}

function like(pattern: string, value: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${expression}$`, 's').test(value)
}

function list(value: number | string | readonly string[]): readonly string[] {
  return typeof value === 'object' ? value : [String(value)]
}
