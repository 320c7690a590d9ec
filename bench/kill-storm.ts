import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { comparable } from '../fixtures/lab.ts'
import { packageRoot } from '../engine/package-root.ts'
import { seeded } from '../lifecycle/arrivals.ts'

/**
 * Two processes check one consignment while they are killed and frozen at random: in the end there
 * is one report, and it is the one of an undisturbed run.
 */
export async function killStorm(size: {
  readonly seed: number
  readonly kills: number
  readonly files: number
}): Promise<void> {
  const random = seeded(size.seed)
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-storm-'))
  try {
    const zone = join(folder, 'dropzone')
    makeConsignment(join(zone, 'office', 'networkdrive', 'storm'), size.files, random)
    const calm = await checkOnce(folder, 'calm')
    const started = performance.now()
    let kills = 0
    let freezes = 0
    while (kills < size.kills) {
      const children = [start(folder, 'storm'), start(folder, 'storm')]
      // From before the first write to after the last one of an undisturbed run.
      await delay(random() * calm.milliseconds * 1.2)
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        if (random() < 0.1) {
          child.kill('SIGSTOP')
          freezes++
          await delay(random() * 200)
          child.kill('SIGCONT')
          await delay(random() * 100)
        }
        if (child.exitCode === null && child.kill('SIGKILL')) kills++
      }
      await Promise.all(children.map(ended))
      // A finished consignment cannot be disturbed any more: go on with a fresh one.
      if (reportOf(folder, 'storm') !== undefined) {
        assert.deepEqual(reportOf(folder, 'storm'), calm.report)
        for (const area of ['state', 'reports'])
          rmSync(join(folder, `storm-${area}`), { recursive: true, force: true })
      }
    }
    const last = await checkOnce(folder, 'storm')
    assert.deepEqual(last.report, calm.report)
    const tries = countFiles(join(folder, 'storm-state'), /tries\//)
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    console.log(
      `kill storm: ${size.files} files, ${kills} kills, ${freezes} freezes of two processes in ${seconds} s: same report, ${tries} tries recorded in the last consignment`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function makeConsignment(root: string, files: number, random: () => number): void {
  const manifest: string[] = []
  for (let i = 0; i < files; i++) {
    const path = `folder ${i % 50}/file ${i}.txt`
    const content = Buffer.alloc(1 + Math.floor(random() * 20_000), `record ${i}\n`)
    mkdirSync(join(root, 'records', `folder ${i % 50}`), { recursive: true })
    writeFileSync(join(root, 'records', path), content)
    manifest.push(`${createHash('sha256').update(content).digest('hex')}  ./${path}\n`)
  }
  mkdirSync(join(root, 'metadata'), { recursive: true })
  writeFileSync(join(root, 'metadata', 'manifest.sha256'), manifest.join(''))
  writeFileSync(join(root, 'complete.json'), JSON.stringify({ expectedNumberFiles: files }))
}

function start(folder: string, name: string): ChildProcess {
  writeFileSync(
    join(folder, `${name}.yaml`),
    `state: ./${name}-state\nreports: ./${name}-reports\nchunk: { maxFiles: 200 }\ndropZones: [{ name: storm, address: ./dropzone }]\n`,
  )
  const main = join(packageRoot(), 'dist', 'engine', 'main.js')
  return spawn(
    process.execPath,
    [main, 'sweep', '--quiet', '--config', join(folder, `${name}.yaml`)],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => child.once('close', () => resolve()))
}

async function checkOnce(
  folder: string,
  name: string,
): Promise<{ report: unknown; milliseconds: number }> {
  const started = performance.now()
  const child = start(folder, name)
  await ended(child)
  assert.equal(child.exitCode, 0, `the undisturbed run ends well`)
  return { report: reportOf(folder, name), milliseconds: performance.now() - started }
}

/** The one delivered report, whole, or undefined; two would be a failure. */
function reportOf(folder: string, name: string): unknown {
  const root = join(folder, `${name}-reports`)
  const files = list(root)
  const delivered = files.filter((file) => file.endsWith('delivered.json'))
  if (delivered.length === 0) return undefined
  assert.equal(delivered.length, 1)
  const { files: parts } = JSON.parse(readFileSync(join(root, delivered[0] ?? ''), 'utf8')) as {
    files: { name: string; key: string }[]
  }
  const read = (part: string) =>
    readFileSync(join(root, parts.find((one) => one.name === part)?.key ?? ''), 'utf8')
  return {
    json: comparable(read('report.json')),
    findings: read('findings.csv'),
    files: createHash('sha256').update(read('files.csv')).digest('hex'),
  }
}

function countFiles(root: string, pattern: RegExp): number {
  return list(root).filter((file) => pattern.test(file)).length
}

function list(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true }) as string[]
  } catch {
    return [] // nothing has been written yet
  }
}
