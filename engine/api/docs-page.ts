import { escapeHtml } from './escape.ts'

type Operation = {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly parameters?: unknown
  readonly requestBody?: unknown
  readonly responses?: unknown
}

const METHODS = ['get', 'post', 'put', 'delete'] as const

/** The OpenAPI document as one page that needs nothing else and runs nothing. */
export function describeApi(document: { readonly paths?: object }): string {
  const groups = new Map<string, string[]>()
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    const operations = item as Partial<Record<(typeof METHODS)[number], Operation>>
    for (const method of METHODS) {
      const operation = operations[method]
      if (operation === undefined) continue
      const group = operation.tags?.[0] ?? 'Others'
      groups.set(group, [...(groups.get(group) ?? []), section(method, path, operation)])
    }
  }
  const body = [...groups]
    .map(([group, sections]) => `<h2>${escapeHtml(group)}</h2>\n${sections.join('\n')}`)
    .join('\n')
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wharfinger: the integrators’ API</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
pre{overflow:auto;background:#f3f2f1;padding:1rem}code{overflow-wrap:anywhere}</style></head>
<body><main><h1>The integrators’ API</h1>
<p>The same for programs: <a href="openapi.json">openapi.json</a>.</p>
${body}
</main></body></html>`
}

function section(method: string, path: string, operation: Operation): string {
  const shapes = (['parameters', 'requestBody', 'responses'] as const)
    .filter((name) => operation[name] !== undefined)
    .map(
      (name) =>
        `<h4>${TITLES[name]}</h4><pre tabindex="0">${escapeHtml(JSON.stringify(operation[name], undefined, 2))}</pre>`,
    )
  return `<h3><code>${method.toUpperCase()} ${escapeHtml(path)}</code></h3>
<p>${escapeHtml(operation.summary ?? '')}</p>
<details><summary>Shapes</summary>${shapes.join('')}</details>`
}

const TITLES = { parameters: 'Parameters', requestBody: 'Body', responses: 'Answers' } as const
