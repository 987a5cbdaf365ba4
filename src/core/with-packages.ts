import { UserError } from './user-error.ts'

const MISSING = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']

/**
 * Do what needs packages that not everybody installs.
 * @param what needs them, for the message
 * @throws UserError `packageMissing` with the line that installs them
 */
export const withPackages = async <T>(
  what: string,
  packages: readonly string[],
  use: () => T | Promise<T>
): Promise<T> => {
  try {
    return await use()
  } catch (error) {
    if (!MISSING.includes((error as { readonly code?: string }).code ?? '')) throw error
    const some = packages.length === 1 ? 'a package that is' : 'packages that are'
    throw new UserError(
      `${what} needs ${some} not installed here: npm install --ignore-scripts ${packages.join(' ')}`,
      { code: 'packageMissing', facts: { packages }, cause: error }
    )
  }
}
