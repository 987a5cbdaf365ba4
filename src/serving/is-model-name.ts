const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,62}$/u

/** Letters, digits, dots, dashes and underscores, at most 63: such names lead out of no folder. */
export const isModelName = (text: string): boolean => NAME.test(text)
