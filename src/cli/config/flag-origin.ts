/** Where the values of flags stand, for whoever tells what is wrong with one. */
export interface FlagOrigin {
  /** "node.yaml:7", of a value of a flag; undefined where it was given on the command line, or nowhere. */
  place(flag: string, text?: string): string | undefined
}

export const COMMAND_LINE: FlagOrigin = { place: () => undefined }
