export type Instruction = { readonly name: string; readonly argument: string }

export type Stage = {
  readonly image: string
  /** As other stages copy from it. */
  readonly name: string
  readonly instructions: readonly Instruction[]
}

/** Stages of a Dockerfile, lines joined and comments left out. Throws where it starts with no FROM. */
export function parseDockerfile(text: string): readonly Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const stages: (Omit<Stage, 'instructions'> & { instructions: Instruction[] })[] = []
  for (const line of lines) {
    const [, name = '', argument = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? []
    if (name.toUpperCase() === 'FROM') {
      const [image = '', , alias] = argument.split(/\s+/)
      stages.push({ image, name: alias ?? String(stages.length), instructions: [] })
      continue
    }
    const stage = stages.at(-1)
    if (stage === undefined) throw new Error(`${line} comes before any FROM`)
    stage.instructions.push({ name: name.toUpperCase(), argument })
  }
  return stages
}
