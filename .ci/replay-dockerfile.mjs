// Where there is no container engine: replays the Dockerfile's COPY and RUN steps in an empty
// folder, starts the result as the image would, and stops it with SIGTERM.
// Usage: node .ci/replay-dockerfile.mjs [command of the engine ...]
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = dirname(import.meta.dirname)
const { parseDockerfile } = await import(join(root, 'dist/infra/dockerfile.js'))
const wanted = process.argv.slice(2)
const command = wanted.length > 0 ? wanted : ['--version']
const STARTUP_MS = 5000
const STOP_MS = 120_000

const scratch = mkdtempSync(join(tmpdir(), 'wharfinger-image-'))
const folders = new Map()
let exitCode = 1
try {
  const stages = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))
  const environment = nodeOf(stages.at(-1).image)
  for (const stage of stages) replay(stage, environment)
  exitCode = await start(stages.at(-1), environment)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
process.exitCode = exitCode

/** Each image's file system is a folder: /app and /scratch lie in it. */
function inImage(stage, path, workdir) {
  return join(folders.get(stage), path.startsWith('/') ? path : join(workdir, path))
}

function replay({ name: stage, instructions }, environment) {
  folders.set(stage, join(scratch, stage))
  mkdirSync(folders.get(stage), { recursive: true })
  let workdir = '/'
  for (const { name, argument } of instructions) {
    if (name === 'WORKDIR') {
      workdir = argument
      mkdirSync(inImage(stage, workdir, '/'), { recursive: true })
    } else if (name === 'COPY') copy(stage, argument.split(/\s+/), workdir)
    else if (name === 'RUN') run(stage, argument, workdir, environment)
  }
}

function copy(stage, words, workdir) {
  const from = words[0].startsWith('--from=') ? words.shift().slice('--from='.length) : undefined
  const target = words.pop()
  for (const source of words) {
    const path = from === undefined ? join(root, source) : inImage(from, source, '/')
    const intoFolder = target.endsWith('/')
    const to = inImage(stage, intoFolder ? join(target, source) : target, workdir)
    // As .dockerignore does it.
    cpSync(path, to, {
      recursive: true,
      filter: (file) => from !== undefined || !file.endsWith('.test.ts'),
    })
  }
}

function run(stage, line, workdir, environment) {
  // No root file system of our own: the image's absolute paths lie in its folder, and we own it.
  const local = line
    .replaceAll('/scratch', inImage(stage, '/scratch', '/'))
    .replace(/chown \S+ /, 'true ')
  console.log(`RUN ${line}`)
  const { status } = spawnSync('/bin/sh', ['-c', local], {
    cwd: inImage(stage, workdir, '/'),
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) throw new Error(`exit code ${status} of: ${line}`)
}

/** Node of the image's major version, from npm where this is another one. */
function nodeOf(image) {
  const [, major] = /^node:(\d+)/.exec(image)
  if (process.versions.node.startsWith(`${major}.`)) return { ...process.env }
  const packageName = `node-${process.platform}-${process.arch}`
  const folder = join(scratch, 'node')
  mkdirSync(folder)
  const { status } = spawnSync(
    'npm',
    [
      'install',
      '--silent',
      '--no-save',
      '--ignore-scripts',
      '--prefix',
      folder,
      `${packageName}@${major}`,
    ],
    { stdio: 'inherit' },
  )
  const bin = join(folder, 'node_modules', packageName, 'bin')
  if (status !== 0 || !existsSync(join(bin, 'node'))) throw new Error(`no Node ${major} to be had`)
  return { ...process.env, PATH: `${bin}:${process.env.PATH}` }
}

/** Resolves with 0 where it ends well by itself, or ends well on SIGTERM. */
async function start({ name: stage, instructions }, environment) {
  const entry = JSON.parse(instructions.find(({ name }) => name === 'ENTRYPOINT').argument)
  const [program, ...rest] = entry
  console.log(`ENTRYPOINT ${[...entry, ...command].join(' ')}`)
  const child = spawn(program, [...rest, ...command], {
    cwd: inImage(stage, '/app', '/'),
    env: { ...environment, NODE_ENV: 'production', TMPDIR: inImage(stage, '/scratch', '/') },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  )
  const stop = setTimeout(() => child.kill('SIGTERM'), STARTUP_MS)
  const kill = setTimeout(() => child.kill('SIGKILL'), STARTUP_MS + STOP_MS)
  const { code, signal } = await ended
  clearTimeout(stop)
  clearTimeout(kill)
  console.log(signal === null ? `exit code ${code}` : `ended by ${signal}`)
  return code === 0 ? 0 : 1
}
