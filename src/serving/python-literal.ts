/** Text as Python writes it, in single quotes. */
const literal = (text: string): string =>
  `'${text.replace(/[\\'\p{Cc}\u2028\u2029]/gu, character => ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}'`

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** What a file says of itself as one dictionary that Python's `ast.literal_eval` reads; every value is text. */
export const pythonDictionary = (properties: Readonly<Record<string, string>>): string =>
  `{${Object.entries(properties)
    .map(([key, value]) => `${literal(key)}: ${literal(value)}`)
    .join(', ')}}`
