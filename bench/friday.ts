import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { packageRoot } from '../engine/package-root.ts'
import { WINDOWS_KEY } from '../lifecycle/windows.ts'
import { startEcsServer } from '../fixtures/servers/ecs-autoscaling-server.ts'
import { EcsWorld, type WorldTask } from '../fixtures/servers/ecs-world.ts'

/** Seconds that stand for the hours of a weekend. */
const CLOSES_AFTER = 4
const LANDS_AFTER = 9
const OPENS_AFTER = 13
const WAKE_BUDGET = 10
const RESOURCE = 'service/cluster/work'

/**
 * A Friday with real `work` processes under our ECS: the window closes while a long consignment is
 * checked, what is in hand is finished, the service reaches zero; an upload lands on Saturday; on
 * Monday both have their reports. Nobody is killed.
 */
export async function friday(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wharfinger-friday-'))
  const startedMs = Date.now()
  const at = (seconds: number) => startedMs + seconds * 1000
  const world = new EcsWorld({
    nowMs: startedMs,
    fireTimes: ({ schedule }) => [Number(schedule)], // an instant: minutes are too long to wait
    launchMs: 200,
    stopTimeoutMs: 20_000,
  })
  const service = world.addService('cluster', 'work', 1)
  world.register(RESOURCE, { min: 1, max: 1 })
  for (const [name, min, seconds] of [
    ['lc.sleep', 0, CLOSES_AFTER],
    ['lc.wake', 1, OPENS_AFTER],
  ] as const)
    world.putAction(RESOURCE, name, {
      schedule: String(at(seconds)),
      timezone: 'UTC',
      min,
      max: min,
    })
  const server = await startEcsServer(world)
  const processes = new Map<WorldTask, ChildProcess>()
  const delivered: string[] = []
  let terminated = 0
  let killed = 0
  let zeroSince: number | undefined
  let sealedOnMonday: number | undefined

  const start = (task: WorldTask) => {
    const child = spawn(
      process.execPath,
      [join(packageRoot(), 'dist', 'engine', 'main.js'), 'work'],
      {
        cwd: folder,
        env: {
          ...process.env,
          ECS_AGENT_URI: server.agentUri(task),
          WHARFINGER_STOP_SECONDS: '20',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    processes.set(task, child)
    child.once('close', (_code, signal) => {
      if (signal === 'SIGKILL') killed++
      service.stop(task, Date.now())
      processes.delete(task)
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"msg":"delivered"'))
        delivered.push(/"reference":"([^"]+)"/.exec(line)?.[1] ?? '')
      if (line.includes('"msg":"sealed"') && Date.now() > at(OPENS_AFTER))
        sealedOnMonday ??= (Date.now() - at(OPENS_AFTER)) / 1000
    })
  }

  try {
    writeFileSync(
      join(folder, 'wharfinger.yaml'),
      'threads: 1\nchunk: { maxFiles: 10 }\nqueue: { requeueMinutes: 0, readmitMinutes: 0, signOfLifeSeconds: 1 }\ndropZones: [{ name: quay, address: ./dropzone }]\n',
    )
    const windows = join(folder, 'wharfinger-state', WINDOWS_KEY)
    mkdirSync(dirname(windows), { recursive: true })
    const awake = [
      { fromUtc: at(-60), toUtc: at(CLOSES_AFTER) },
      { fromUtc: at(OPENS_AFTER), toUtc: at(3600) },
    ]
    const one = { resourceId: RESOURCE, awake, horizonUtc: at(3600), minTasks: 1, maxTasks: 1 }
    writeFileSync(windows, JSON.stringify({ version: 1, services: [{ ...one, closure: 'hard' }] }))
    land(folder, 'long', 300)
    let landed = false
    let signalled = new Set<WorldTask>()
    while (delivered.length < 2) {
      const now = Date.now()
      assert.ok(now < at(OPENS_AFTER + 120), 'Monday comes to an end')
      world.advanceTo(now)
      for (const task of service.running(now)) {
        if (!processes.has(task) && task.killAtMs === undefined) start(task)
        const child = processes.get(task)
        if (task.killAtMs !== undefined && child !== undefined && !signalled.has(task)) {
          signalled = new Set([...signalled, task])
          child.kill('SIGTERM')
          terminated++
        }
      }
      if (now > at(CLOSES_AFTER) && now < at(OPENS_AFTER) && processes.size === 0) zeroSince ??= now
      if (!landed && now > at(LANDS_AFTER)) {
        assert.equal(delivered.length, 0, 'the long one is not finished on Friday')
        landed = true
        land(folder, 'saturday', 3)
      }
      await delay(50)
    }
    assert.ok(zeroSince !== undefined, 'the service reaches zero')
    assert.equal(killed, 0)
    assert.equal(terminated, 1)
    assert.ok(sealedOnMonday !== undefined && sealedOnMonday < WAKE_BUDGET)
    console.log(
      `a Friday: closed while a consignment of 300 files was checked; nothing running ${((zeroSince - at(CLOSES_AFTER)) / 1000).toFixed(1)} s after closing, ${terminated} SIGTERM, ${killed} SIGKILL; Saturday's upload sealed ${sealedOnMonday.toFixed(1)} s after opening, both reports there`,
    )
  } finally {
    for (const child of processes.values()) child.kill('SIGKILL')
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Many bytes and little disk: all files are one. */
function land(folder: string, name: string, files: number): void {
  const root = join(folder, 'dropzone', 'office', 'networkdrive', name)
  mkdirSync(join(root, 'records'), { recursive: true })
  const first = join(root, 'records', 'file 0.bin')
  writeFileSync(first, Buffer.alloc(32 * 1024 * 1024, name))
  for (let i = 1; i < files; i++) linkSync(first, join(root, 'records', `file ${i}.bin`))
  writeFileSync(join(root, 'complete.json'), '{}')
}
