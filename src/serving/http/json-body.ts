import { ServingError } from '../serving-error.ts'

/** Outside of text, whole numbers that a double may not hold. */
const LONG_NUMBERS = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g

/** JSON whose whole numbers of 16 digits or more become text, so that none of 64 bits is rounded. @throws ServingError */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(
      /\d{16}/.test(text) ? text.replace(LONG_NUMBERS, found => (found[0] === '"' ? found : `"${found}"`)) : text
    )
  } catch (error) {
    throw new ServingError(
      'badRequest',
      `failed to parse the request JSON buffer: ${(error as Error).message.slice(0, 200)}`
    )
  }
}
