/** Why the service does not do what it was asked to, in words for the caller. RFC 9457. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly title: string
  readonly more: Readonly<Record<string, unknown>>
  constructor(
    status: number,
    title: string,
    detail: string,
    more: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail)
    this.status = status
    this.title = title
    this.more = more
  }
}

export function notFound(what: string): Problem {
  return new Problem(404, 'Not found', `There is no ${what}, or it is not yours to see.`)
}
