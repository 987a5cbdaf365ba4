const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu

/** The text as one line that does nothing to a terminal: what somebody else wrote goes through it before anybody reads it. */
export const oneLine = (text: string): string => (text.search(CONTROLS) < 0 ? text : text.replace(CONTROLS, ' ').trim())
