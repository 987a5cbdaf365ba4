/** A sentence ends at one of these before a space, or where its paragraph, list item or table cell ends. */
const END = /(?<=[.!?]["'”)]?)\s+(?=["“(`[*_]*[A-Z0-9`-])/
/** After these a full stop ends no sentence. */
const ABBREVIATED = /\b(?:e\.g|i\.e|et al|vs|cf|approx|No)\.\s+/g

/** The sentences of a Markdown text, without code blocks, headings' marks, and the addresses of links. */
export const sentencesOf = (markdown: string): string[] =>
  markdown
    .replace(/^```[\s\S]*?^```/gm, '\n\n')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|\n(?=#)|\n(?=\|)|(?<=^#.*)\n/m)
    .flatMap(part => (part.trimStart().startsWith('|') ? part.split(/(?<!\\)\|/) : [part]))
    .flatMap(part => part.replace(ABBREVIATED, match => match.trimEnd().replace(/\.$/, ' ')).split(END))
    .map(sentence =>
      sentence
        .replace(/^\s*(?:[-*]|\d+\.|#+) /, '')
        .replace(/\s+/g, ' ')
        .trim()
    )
    .filter(sentence => sentence !== '')

/** What a reader takes for words: code in backticks counts as one. */
export const wordsIn = (sentence: string): number =>
  sentence
    .replace(/`[^`]*`/g, 'code')
    .split(/\s+/)
    .filter(word => /[\p{L}\p{N}]/u.test(word)).length
