import { plainText } from '../runtime/network/plain-text.ts'

/** Of one message, in characters. */
const LONGEST = 4000

/** A log's message as one line that does nothing to a terminal. In it may be what a broker, a camera or another device wrote. */
export const plainMessage = (text: string): string => plainText(text, LONGEST)
