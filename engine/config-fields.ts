import { isMap, isScalar, isSeq, type YAMLMap } from 'yaml'

/** Typed fields of one YAML map; collects problems instead of throwing at the first. */
export class FieldReader {
  readonly #problems: string[]
  readonly #map: YAMLMap | undefined
  readonly #at: (map: YAMLMap | undefined, name: string) => string
  readonly #known = new Set<string>()

  constructor(
    problems: string[],
    map: YAMLMap | undefined,
    at: (map: YAMLMap | undefined, name: string) => string,
  ) {
    this.#problems = problems
    this.#map = map
    this.#at = at
  }

  problem(text: string): void {
    this.#problems.push(text)
  }
  where(name: string): string {
    return this.#at(this.#map, name)
  }
  raw(name: string): unknown {
    this.#known.add(name)
    const value: unknown = this.#map?.get(name)
    return typeof value === 'object' &&
      value !== null &&
      'toJSON' in value &&
      typeof value.toJSON === 'function'
      ? (value.toJSON() as unknown)
      : value
  }
  #typed<T>(name: string, what: string, accept: (value: unknown) => value is T): T | undefined {
    const value = this.raw(name)
    if (value === undefined || value === null) return undefined
    if (accept(value)) return value
    this.problem(`${this.where(name)}\`${name}\` has to be ${what}`)
    return undefined
  }
  text(name: string): string | undefined {
    return this.#typed(
      name,
      'a text',
      (value): value is string => typeof value === 'string' && value !== '',
    )
  }
  flag(name: string): boolean | undefined {
    return this.#typed(name, 'true or false', (value) => typeof value === 'boolean')
  }
  whole(name: string, least: number): number | undefined {
    return this.#typed(
      name,
      `a whole number, ${least} or more`,
      (value): value is number =>
        typeof value === 'number' && Number.isSafeInteger(value) && value >= least,
    )
  }
  texts(name: string): string[] | undefined {
    return this.#typed(
      name,
      'a list of texts',
      (value): value is string[] =>
        Array.isArray(value) && value.every((item) => typeof item === 'string'),
    )
  }
  pattern(name: string, pattern: RegExp, what: string): string | undefined {
    return this.#typed(
      name,
      what,
      (value): value is string => typeof value === 'string' && pattern.test(value),
    )
  }
  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    return this.#typed(name, `one of ${values.join(', ')}`, (value): value is T =>
      values.some((one) => one === value),
    )
  }
  section(name: string): FieldReader {
    this.#known.add(name)
    const value: unknown = this.#map?.get(name)
    if (value !== undefined && value !== null && !isMap(value))
      this.problem(`${this.where(name)}\`${name}\` has to hold names and values`)
    return new FieldReader(this.#problems, isMap(value) ? value : undefined, this.#at)
  }
  /** A list of maps; anything else in it, or instead of it, is a problem. */
  list(name: string): FieldReader[] {
    this.#known.add(name)
    const value: unknown = this.#map?.get(name, true)
    if (value === undefined || value === null || (isScalar(value) && value.value === null))
      return []
    if (!isSeq(value)) {
      this.problem(`${this.where(name)}\`${name}\` has to be a list`)
      return []
    }
    if (!value.items.every((item) => isMap(item)))
      this.problem(`${this.where(name)}each item of \`${name}\` has to hold names and values`)
    return value.items
      .filter((item) => isMap(item))
      .map((item) => new FieldReader(this.#problems, item, this.#at))
  }
  finish(): void {
    for (const pair of this.#map?.items ?? []) {
      const name = String(pair.key)
      if (this.#known.has(name)) continue
      this.problem(
        `${this.where(name)}\`${name}\` is not a setting${didYouMean(name, this.#known)}`,
      )
    }
  }
}

function didYouMean(name: string, known: ReadonlySet<string>): string {
  const close = [...known].find((other) =>
    other.toLowerCase().startsWith(name.toLowerCase().slice(0, 4)),
  )
  return close === undefined
    ? `; there are ${[...known].sort().join(', ')}`
    : `; did you mean \`${close}\`?`
}
