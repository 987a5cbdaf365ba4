const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu
/** Most texts are; they are looked at much faster so. */
const PLAIN = /^[ -~]*$/

/** Whether the text does nothing to a terminal as it is. */
export const isOneLine = (text: string): boolean => PLAIN.test(text) || text.search(CONTROLS) < 0

/** The text as one line that does nothing to a terminal: what somebody else wrote goes through it before anybody reads it. */
export const oneLine = (text: string): string => (isOneLine(text) ? text : text.replace(CONTROLS, ' ').trim())
