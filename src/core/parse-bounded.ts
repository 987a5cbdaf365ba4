/** Lists and objects within each other. */
const MOST_DEPTH = 100
/** Numbers, texts and the like: reading them takes about a second. */
const MOST_VALUES = 2 ** 22

const [QUOTE, BACKSLASH, COMMA] = [34, 92, 44]
const OPENING: readonly number[] = [91, 123]
const CLOSING: readonly number[] = [93, 125]

/**
 * JSON that another one wrote. A hundred million brackets take gigabytes and half a minute to be refused otherwise, and nothing else is
 * done meanwhile.
 * @throws SyntaxError where it is none, or has more values, or is deeper, than may be; then it is not read
 */
export const parseBounded = (text: string): unknown => {
  let depth = 0
  let values = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfText(text, i)
    else if (OPENING.includes(code)) {
      values++
      if (++depth > MOST_DEPTH) throw new SyntaxError(`there are more than ${MOST_DEPTH} lists within each other`)
    } else if (CLOSING.includes(code)) depth--
    else if (code === COMMA && ++values > MOST_VALUES)
      throw new SyntaxError(`there are more than ${MOST_VALUES} values, which JSON takes too long for`)
  }
  return JSON.parse(text)
}

/** @returns where its closing quote is */
const endOfText = (text: string, begin: number): number => {
  for (let end = text.indexOf('"', begin + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return end
  }
  return text.length
}
