/** What fits into the narrowest terminal that people still have. */
export const WIDTH = 80

/**
 * Prose in lines of at most so many characters, broken between words; a word that is longer stays whole. Blanks at the
 * beginning stay.
 * @param hang before every line but the first
 */
export const foldText = (text: string, hang = '', width = WIDTH): string => {
  const indent = /^ */.exec(text)![0]
  const lines: string[] = []
  let line = indent
  let isEmpty = true
  for (const word of text.slice(indent.length).split(/ (?!%)/)) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line)
      line = hang + word
    } else line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line].join('\n')
}
