const known: Readonly<Record<string, string>> = {
  'disallowed character': 'There is a character here that XML does not allow.',
  'malformed comment': 'A comment holds "--", which it must not.',
  'empty entity name': 'An "&" stands alone. Write "&amp;" for the character itself.',
  'disallowed character in entity name':
    'An "&" is not the start of an entity. Write "&amp;" for the character itself.',
  'undefined entity':
    'There is an entity that is not one of the five that XML has. Write the character itself.',
  'malformed character entity': 'A numbered character (such as &#233;) is not one that XML allows.',
  'disallowed character in tag name': 'The name of an element holds a character that it must not.',
  'text data outside of root node': 'There is text before or after the one root element.',
  'inappropriately located doctype declaration':
    'A DOCTYPE may stand only once, before the root element.',
  'incorrect syntax': 'A "<!" is not the start of anything that XML has.',
  'processing instruction without a target': 'A "<?" is not followed by a name.',
  'disallowed character in processing instruction name':
    'The name after "<?" holds a character that it must not.',
  'an XML declaration must be at the start of the document':
    'The XML declaration (<?xml ... ?>) has to be the very first thing, without space before it.',
  'the XML declaration must appear at the start of the document':
    'The XML declaration (<?xml ... ?>) has to be the very first thing, without space before it.',
  'documents may contain only one root':
    'There is a second root element; XML has exactly one that holds everything.',
  'forward-slash in opening tag not followed by >': 'A "/" in a start tag is not followed by ">".',
  'disallowed character in attribute name':
    'The name of an attribute holds a character that it must not.',
  'attribute without value': 'An attribute has no value.',
  'unquoted attribute value': 'The value of an attribute is not in quotation marks.',
  'no whitespace between attributes': 'Two attributes are not separated by a space.',
  'the string "]]>" is disallowed in char data': 'A text holds "]]>". Write "]]&gt;".',
  'disallowed character in closing tag': 'An end tag holds a character that it must not.',
  'document must contain a root element': 'There is no element in the document.',
  'unexpected end': 'The document ends in the middle of something: it is probably cut off.',
  'weird empty close tag': 'An end tag has no name.',
  'unexpected close tag': 'There is an end tag without a start tag.',
}

const particular: readonly (readonly [RegExp, (detail: string) => string])[] = [
  [
    /^unclosed tag: (.*)$/s,
    (name) => `The element <${name}> is never closed: the document is probably cut off.`,
  ],
  [
    /^unmatched closing tag: (.*)$/s,
    (name) => `The end tag </${name}> is not that of the element that is open.`,
  ],
  [/^duplicate attribute: (.*)$/s, (name) => `The attribute ${name} stands twice in one element.`],
  [
    /^unbound namespace prefix: "(.*)"$/s,
    (prefix) => `The prefix ${prefix}: is used but not declared (xmlns:${prefix}="...").`,
  ],
  [/^malformed name: (.*)$/s, (name) => `${name} is not a name that XML allows.`],
]

/**
 * What saxes says of an error, in plain words and without its place. `mayBeEntity` where an "&" that
 * stands alone can be what is wrong.
 */
export function explainXmlError(message: string): { explanation: string; mayBeEntity: boolean } {
  const error = message.replace(/^\d+:\d+: /, '').replace(/\.$/, '')
  const mayBeEntity = error.includes('entity') || error.startsWith('unclosed tag')
  const sentence = known[error]
  if (sentence !== undefined) return { explanation: sentence, mayBeEntity }
  for (const [pattern, say] of particular) {
    const detail = pattern.exec(error)?.[1]
    if (detail !== undefined) return { explanation: say(shortened(detail)), mayBeEntity }
  }
  // The rest is rare and about the XML declaration or namespaces; saxes says it well enough.
  return { explanation: `${error.charAt(0).toUpperCase()}${error.slice(1)}.`, mayBeEntity }
}

function shortened(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}...` : name
}
