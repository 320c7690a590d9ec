import { fleetStorm } from './fleet-storm.ts'
import { friday } from './friday.ts'
import { killStorm } from './kill-storm.ts'
import { terminationStorm } from './termination-storm.ts'
import { weekends } from './weekends.ts'

/**
 * `npm run soak`: the long versions of what the tests do small. Seeded, sizes printed; SOAK_SHARE
 * (0 to 1) takes a part of each size, SOAK_SEED another course.
 */
const share = Number(process.env['SOAK_SHARE'] ?? 1)
const seed = Number(process.env['SOAK_SEED'] ?? 1)
console.log(`soak: seed ${seed}, ${share * 100} % of the full size`)
weekends({ seed, count: Math.max(200, Math.round(10_000 * share)) })
await killStorm({
  seed,
  kills: Math.max(3, Math.round(100 * share)),
  files: Math.max(2000, Math.round(20_000 * share)),
})
await fleetStorm({
  seed,
  processes: 4,
  kills: Math.max(5, Math.round(200 * share)),
  files: Math.max(2000, Math.round(100_000 * share)),
})
await terminationStorm({ seed, terminations: Math.max(5, Math.round(200 * share)) })
await friday()
