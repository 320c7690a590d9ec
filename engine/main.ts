#!/usr/bin/env node
import { runCommand } from './cli/program.ts'

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())

process.exitCode = await runCommand(process.argv.slice(2), {
  folder: process.cwd(),
  env: process.env,
  now: () => new Date(),
  out: { write: (text) => void process.stdout.write(text), isTerminal: process.stdout.isTTY },
  err: { write: (text) => void process.stderr.write(text), isTerminal: process.stderr.isTTY },
  signal: stop.signal,
})
