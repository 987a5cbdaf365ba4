import { UserError } from '../core/user-error.ts'

/** Flags that name tensors, whose bytes that are not UTF-8 are shown, and so given, in this way. */
const NAMES_TENSORS = /^--(shape|cut-at)(=|$)/

/**
 * Bytes of an argument that are not UTF-8 have become U+FFFD before any program in JavaScript sees them: two names that
 * differ in them only would be one, and no file is found by them.
 * @throws UserError that shows the argument
 */
export const refuseMangled = (args: readonly string[]): void => {
  const isName = (arg: string, i: number): boolean =>
    NAMES_TENSORS.test(arg) || /^--(shape|cut-at)$/.test(args[i - 1] ?? '')
  const mangled = args.find((arg, i) => arg.includes('\uFFFD') && !isName(arg, i))
  if (mangled !== undefined)
    throw new UserError(
      `"${mangled}": \uFFFD stands for bytes that are not UTF-8; rename the file, or the name, with UTF-8 only`
    )
}
