import { Readable } from 'node:stream'
import { Type } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import type { Store } from '../adapters/store.ts'
import { reportDigest } from '../run/decisions.ts'
import type { Delivered } from '../run/deliver.ts'
import { notFound } from '../service/problem.ts'

const DIGEST_CHARACTERS = 16 // as in the reports store, so that links between files hold here too

export const reportFileParams = Type.Object({
  digest: Type.String({ pattern: `^[0-9a-f]{${DIGEST_CHARACTERS}}$` }),
  name: Type.String({ pattern: '^[a-z][a-z0-9.-]{0,63}$' }),
})

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
}

/** `at`: path that the files lie below. */
export function describeReport(delivered: Delivered, at: string) {
  return {
    reference: delivered.reference,
    attempt: delivered.attempt,
    reportVersion: delivered.reportVersion,
    reportDigest: reportDigest(delivered),
    files: delivered.files.map(({ name, sha256, sizeBytes }) => ({
      name,
      sha256,
      sizeBytes,
      href: `${at}/${sha256.slice(0, DIGEST_CHARACTERS)}/${name}`,
    })),
  }
}

/** Only what the report lists: a name from outside never becomes a key. */
export function sendReportFile(
  reply: FastifyReply,
  reports: Store,
  delivered: Delivered,
  wanted: { readonly digest: string; readonly name: string },
): FastifyReply {
  const file = delivered.files.find(
    ({ name, sha256 }) => name === wanted.name && sha256.startsWith(wanted.digest),
  )
  if (file === undefined) throw notFound('such file in the newest report')
  const type = TYPES[file.name.slice(file.name.lastIndexOf('.') + 1)]
  return reply
    .headers({
      'content-type': type ?? 'application/octet-stream',
      'content-length': String(file.sizeBytes),
      'content-disposition': `${file.name.endsWith('.html') ? 'inline' : 'attachment'}; filename="${file.name}"`,
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      etag: `"${file.sha256}"`,
      'cache-control': 'private, no-cache',
    })
    .send(Readable.from(reports.stream(file.key), { objectMode: false }))
}
