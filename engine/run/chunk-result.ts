import type { CheckedFile, JobTallies } from '../pool/messages.ts'

/** The first line of a result. */
export type ResultHeader = {
  readonly tallies: JobTallies
  /** Whether S3 versions of what was read lie beside it. */
  readonly hasVersions: boolean
  /** Set where something is unchecked: such a result follows from more than the sealed bytes. */
  readonly unchecked?: true
}

/** One chunk's result: the jobs' tallies, then a line for each file in inventory order. */
export type ChunkResult = ResultHeader & { readonly files: readonly CheckedFile[] }

export function renderResult(header: ResultHeader, lines: readonly (string | undefined)[]): string {
  return [JSON.stringify(header), ...lines, ''].join('\n')
}

export function parseHeader(text: string): ResultHeader {
  return JSON.parse(text.slice(0, text.indexOf('\n') + 1)) as ResultHeader
}

export function parseResult(text: string): ChunkResult {
  const files: CheckedFile[] = []
  for (const line of text.slice(text.indexOf('\n') + 1).split('\n'))
    if (line !== '') files.push(JSON.parse(line) as CheckedFile)
  return { ...parseHeader(text), files }
}
