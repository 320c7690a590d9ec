import type { AnyJob } from '../engine/model/check.ts'
import { fixity } from './fixity.ts'
import { malwareTag } from './malware-tag.ts'
import { namesAndSizes } from './names-and-sizes.ts'
import { sha256 } from './sha256.ts'

/**
 * Every job the engine runs, in the order their outcomes are stored. Add yours here; a test
 * fails if a file is left out.
 */
export const jobs: Readonly<Record<string, AnyJob>> = Object.fromEntries(
  [sha256, fixity, malwareTag, namesAndSizes].map((job) => [job.id, job]),
)
