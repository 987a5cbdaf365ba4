/** Of a source as the command line has it, like `cam=dir:./images`. */
export const sourceName = (word: string): string => word.slice(0, word.indexOf('='))
