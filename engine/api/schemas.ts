import { Type, type TSchema } from '@fastify/type-provider-typebox'
import { sourceSystems } from '../service/configuration.ts'
import { stepNames } from '../service/transfer-status.ts'

/** JSON shapes that several routes share. */

export const text = Type.String()
export const count = Type.Integer({ minimum: 0 })

export function oneOf<const Values extends readonly string[]>(values: Values) {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: [...values] })
}

export const sourceSystem = oneOf(sourceSystems)

/** As a UUID for those that TDR's clients know; other names lie in drop zones that are filled by hand. */
export const transferId = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' })
export const uuid = Type.String({ format: 'uuid' })
export const reference = Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' })
export const day = Type.String({ format: 'date' })
export const cursor = Type.String({ maxLength: 1400, pattern: '^[A-Za-z0-9._/-]+$' })

export function limit(usual: number, most: number) {
  return Type.Integer({ minimum: 1, maximum: most, default: usual })
}

export const transferParams = Type.Object({ sourceSystem, transferId })

export const problem = Type.Object(
  {
    type: text,
    title: text,
    status: Type.Integer(),
    detail: text,
    message: Type.String({
      description: 'The same as `detail`, where clients of TDR look for it.',
    }),
    requestId: text,
    errors: Type.Optional(Type.Array(Type.Object({}, { additionalProperties: true }))),
  },
  { additionalProperties: true },
)

const problems = { '4xx': problem, '5xx': problem }

/** Answers of a route: what it says when it went well, and problems. */
export function answers<Good extends TSchema>(good: Good): { 200: Good } {
  return { 200: good, ...problems }
}

export function created<Good extends TSchema>(good: Good): { 201: Good } {
  return { 201: good, ...problems }
}

export const work = Type.Object({
  state: oneOf(['open', 'draining', 'asleep']),
  workStartsAt: Type.Optional(
    Type.String({ description: 'While no work is done: when it starts again.' }),
  ),
})

const done = Type.Object({ done: count, of: count })

export const transferStatus = Type.Object({
  transferId: text,
  source: text,
  reference: Type.Optional(text),
  status: oneOf(['InProgress', 'Completed', 'CompletedWithIssues', 'Failed']),
  processed: Type.Boolean({ description: 'True from the moment there is a report.' }),
  initiatedAt: Type.Optional(text),
  attempt: Type.Optional(count),
  reportVersion: Type.Optional(count),
  verdict: Type.Optional(text),
  sentence: Type.Optional(text),
  decision: Type.Optional(Type.Object({ kind: text, when: text, why: text })),
  refused: Type.Optional(Type.Array(text)),
  steps: Type.Array(
    Type.Object({
      step: oneOf(stepNames),
      state: oneOf(['waiting', 'in progress', 'done']),
      files: Type.Optional(done),
      bytes: Type.Optional(done),
    }),
  ),
  work,
})

export const reportFiles = Type.Object({
  reference: text,
  attempt: count,
  reportVersion: count,
  reportDigest: Type.String({ description: 'SHA-256 of report.json; decisions name it.' }),
  files: Type.Array(Type.Object({ name: text, sha256: text, sizeBytes: count, href: text })),
})
