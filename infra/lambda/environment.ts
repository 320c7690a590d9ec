/** A variable that the template sets. Throws where it does not: that is a bug in the template. */
export function environment(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`bug: the template sets no ${name}`)
  return value
}
