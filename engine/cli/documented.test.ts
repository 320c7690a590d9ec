import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import { packageRoot } from '../package-root.ts'
import { exitCodes } from './exit-code.ts'
import { runCommand } from './program.ts'

const test = suite('documented commands')
const root = packageRoot()

async function help(...command: string[]): Promise<string> {
  let out = ''
  const exitCode = await runCommand([...command, '--help'], {
    folder: root,
    env: {},
    now: () => new Date(),
    out: { write: (text) => void (out += text), isTerminal: false },
    err: { write: () => undefined, isTerminal: false },
    signal: new AbortController().signal,
  })
  assert.equal(exitCode, exitCodes.sound, command.join(' '))
  return out
}

/** The commands that a help text lists. */
function commandsIn(text: string): string[] {
  const section = /\nCommands:\n([\s\S]*?)(?:\n\n|$)/.exec(text)?.[1] ?? ''
  return [...section.matchAll(/^ {2}([a-z-]+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help')
}

/** Help texts of every command, by its words: `lifecycle why`. */
async function everyCommand(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const name of commandsIn(await help())) {
    const own = await help(name)
    const below = commandsIn(own)
    if (below.length === 0) found.set(name, own)
    for (const sub of below) {
      const text = await help(name, sub)
      const more = commandsIn(text)
      if (more.length === 0 || /\[options\] \[command\]/.test(text))
        found.set(`${name} ${sub}`, text)
      for (const last of more) found.set(`${name} ${sub} ${last}`, await help(name, sub, last))
    }
  }
  return found
}

const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true })
    .map((name) => join('docs', String(name)))
    .filter((name) => name.endsWith('.md')),
]

/** Every command line that a document shows, in a block or in a sentence. */
function shownIn(document: string): string[] {
  const text = readFileSync(join(root, document), 'utf8')
  const blocks = [...text.matchAll(/```\w*\n([\s\S]*?)```/g)].flatMap(([, lines = '']) =>
    lines.replaceAll('\\\n', ' ').split('\n'),
  )
  const inline = [...text.matchAll(/`((?:npx )?wharfinger [^`\n]+)`/g)].map(([, line = '']) => line)
  return [...blocks, ...inline]
    .map((line) => line.replace(/^(?:[A-Z_]+=\S+ )*(?:npx )?/, ''))
    .filter((line) => line.startsWith('wharfinger '))
}

test('every command and option that a document shows is there', async () => {
  const known = await everyCommand()
  const wrong: string[] = []
  for (const document of documents) {
    for (const line of shownIn(document)) {
      const words = line.split('#')[0]?.trim().split(/\s+/).slice(1) ?? []
      const name = [3, 2, 1]
        .map((length) => words.slice(0, length).join(' '))
        .find((words_) => known.has(words_))
      const isGroup = [...known.keys()].some((one) => one.startsWith(`${words[0] ?? ''} `))
      if (name === undefined) {
        if (!words[0]?.startsWith('-') && !(isGroup && words.length === 1))
          wrong.push(`${document}: ${line}`)
        continue
      }
      for (const option of words.filter((word) => /^--[a-z]/.test(word)))
        if (!known.get(name)?.includes(option.replace(/=.*/, '')))
          wrong.push(`${document}: ${line}: no ${option}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('the reference of the command line has every command', async () => {
  const text = readFileSync(join(root, 'docs/reference/command-line.md'), 'utf8')
  const named = [...text.matchAll(/`([a-z][^`]*)`/g)].map(([, words = '']) => words)
  const missing = [...(await everyCommand()).keys()].filter(
    (name) => !named.some((words) => words === name || words.startsWith(`${name} `)),
  )
  assert.deepEqual(missing, [])
})

test.run()
