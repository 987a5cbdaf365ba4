import { parseBounded } from '../../core/parse-bounded.ts'
import { ServingError } from '../serving-error.ts'

/** Whole numbers that a double may not hold; digits behind a point are none. */
const LONG_NUMBER = /(?<![\d.])\d{16,}(?![\d.eE])/
/** The same, outside of text. */
const LONG_NUMBERS = /"(?:[^"\\]|\\.)*"|(?<![\d.])-?\d{16,}(?![\d.eE])/g

/** JSON whose whole numbers of 16 digits or more become text, so that none of 64 bits is rounded. @throws ServingError */
export const parseJson = (text: string): unknown => {
  try {
    return parseBounded(LONG_NUMBER.test(text) ? text.replace(LONG_NUMBERS, asText) : text)
  } catch (error) {
    const because = (error as Error).message.slice(0, 200)
    throw new ServingError('badRequest', `failed to parse the request JSON buffer: ${because}`)
  }
}

const asText = (found: string): string => (found[0] === '"' ? found : `"${found}"`)
