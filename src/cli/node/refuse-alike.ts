import { UserError } from '../../core/user-error.ts'

/**
 * Names of sources that differ only in what some file systems do not tell apart (case, composed or decomposed letters)
 * would share their files there: progress, and results that are files.
 * @throws UserError that names both
 */
export const refuseAlike = (names: readonly string[]): void => {
  const seen = new Map<string, string>()
  for (const name of names) {
    const folded = name.normalize('NFC').toLowerCase()
    const other = seen.get(folded)
    if (other !== undefined)
      throw new UserError(
        `--source ${name}: ${other === name ? 'another source has that name' : `is the same as ${other} on some file systems`}; give each a name of its own`
      )
    seen.set(folded, name)
  }
}
