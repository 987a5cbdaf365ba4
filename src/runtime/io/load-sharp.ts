import { withPackages } from '../../core/with-packages.ts'

/**
 * What decodes images. Only where images are read is it installed: a device without such a source does without.
 * @param what needs it, for the message
 * @throws UserError `packageMissing` with the line that installs it
 */
export const loadSharp = (what: string) => withPackages(what, ['sharp'], async () => (await import('sharp')).default)
