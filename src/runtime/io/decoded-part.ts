import { UserError } from '../../core/user-error.ts'

/** A part of an address without its escapes: `%2F` is a slash. @param where names it in messages @throws UserError where a `%` begins none */
export const decodedPart = (text: string, where: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new UserError(`${where}: has a % that begins no escape; write %25`)
  }
}
