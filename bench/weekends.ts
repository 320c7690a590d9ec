import assert from 'node:assert/strict'
import { randomWeekend } from '../fixtures/random-weekend.ts'
import { simulate } from '../lifecycle/simulate.ts'

/** So many random weekends with faults in the simulator: nothing lost, nothing there twice. */
export function weekends({ seed, count }: { readonly seed: number; readonly count: number }): void {
  let uploads = 0
  let handedBack = 0
  let missedEdges = 0
  let faults = 0
  for (let one = seed * 1_000_000; one < seed * 1_000_000 + count; one++) {
    const options = randomWeekend(one)
    const result = simulate(options)
    assert.deepEqual([result.lost, result.duplicated, result.waiting], [0, 0, 0], `seed ${one}`)
    uploads += result.uploads
    handedBack += result.handedBack
    missedEdges += result.missedEdges
    faults += options.faults.length
  }
  console.log(
    `weekends: ${count} of them, ${uploads} uploads, ${faults} faults, ${missedEdges} missed edges, ${handedBack} handed back: lost 0, duplicated effects 0`,
  )
}
