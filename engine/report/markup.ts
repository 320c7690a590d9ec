/** Markup that is safe to put into a page. */
export type Html = { readonly text: string }

type Value = Html | string | number | readonly Value[]

/** Template whose values are escaped unless they are markup themselves. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return {
    text: strings.map((text, i) => (i === 0 ? text : render(values[i - 1] ?? '') + text)).join(''),
  }
}

/** Markup of our own that is not to be escaped; never a sender's text. */
export function raw(text: string): Html {
  return { text }
}

function render(value: Value): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return escape(value)
  return 'text' in value ? value.text : value.map(render).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
