import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { packageRoot } from '../engine/package-root.ts'
import { seeded } from '../lifecycle/arrivals.ts'

/**
 * SIGTERM at random moments while every thread is busy: `work` exits with 0 well inside the stop
 * timeout, no thread is killed with a chunk in it, and the next process goes on.
 */
export async function terminationStorm(size: {
  readonly seed: number
  readonly terminations: number
}): Promise<void> {
  const random = seeded(size.seed)
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-term-'))
  const exits: number[] = []
  let handedBack = 0
  let delivered = 0
  try {
    writeFileSync(
      join(folder, 'wharfinger.yaml'),
      'threads: 2\nchunk: { maxFiles: 20 }\nqueue: { requeueMinutes: 0, readmitMinutes: 0, signOfLifeSeconds: 1 }\ndropZones: [{ name: storm, address: ./dropzone }]\n',
    )
    for (let round = 0; exits.length < size.terminations; round++) {
      land(join(folder, 'dropzone', 'office', 'networkdrive', `t${round}`))
      const before = delivered
      const goesOn = () => delivered === before && exits.length < size.terminations
      while (goesOn()) {
        const child = spawn(
          process.execPath,
          [join(packageRoot(), 'dist', 'engine', 'main.js'), 'work'],
          { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
        )
        let begun = () => {}
        const begins = new Promise<void>((resolve) => (begun = resolve))
        createInterface({ input: child.stdout }).on('line', (line) => {
          if (line.includes('"msg":"swept"')) begun()
          if (line.includes('"msg":"handed back"')) handedBack++
          if (line.includes('"msg":"delivered"')) delivered++
        })
        await begins
        await delay(random() * 1500)
        const asked = performance.now()
        child.kill('SIGTERM')
        const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
        assert.equal(code, 0, 'it exits well')
        exits.push((performance.now() - asked) / 1000)
      }
      rmSync(join(folder, 'dropzone'), { recursive: true, force: true })
    }
    const crashes = (readdirSync(folder, { recursive: true }) as string[]).filter((name) =>
      name.includes('/tries/'),
    )
    exits.sort((a, b) => a - b)
    console.log(
      `termination storm: ${exits.length} SIGTERMs with 2 threads busy, ${handedBack} messages handed back, ${delivered} reports delivered in between; exit after ${(exits[Math.floor(exits.length / 2)] ?? 0).toFixed(2)} s (median), ${(exits.at(-1) ?? 0).toFixed(2)} s (longest); ${crashes.length} starts recorded again`,
    )
    assert.ok((exits.at(-1) ?? 0) < 25, 'inside a stop timeout of 30 s')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Enough bytes that two threads are busy for seconds, in hard links of one file: disk is not the point. */
function land(root: string): void {
  mkdirSync(join(root, 'records'), { recursive: true })
  const first = join(root, 'records', 'file 0.bin')
  writeFileSync(first, Buffer.alloc(32 * 1024 * 1024, 'a record, '))
  for (let i = 1; i < 200; i++) linkSync(first, join(root, 'records', `file ${i}.bin`))
  writeFileSync(join(root, 'complete.json'), '{}')
}
