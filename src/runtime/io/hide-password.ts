/** Parts of names of parameters whose values are secrets. */
const SECRET = 'pass|pwd|secret|token|key|auth|sig|credential'
const PARAMETER = new RegExp(`([?&][^=&\\s]*(?:${SECRET})[^=&\\s]*=)(?:(?![&#\\s"']|,[a-z-]+=).)+`, 'gi')

/**
 * Addresses in a text, without the names and passwords that they hold, and the tokens among their parameters. A password may hold `/`
 * and `@`: what has one ends at the last `@`, rather too late than too early.
 */
export const hidePassword = (text: string): string =>
  text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/:@]*:\S*@|[^\s/]*@)/gi, `$1${HIDDEN}@`)
    .replace(PARAMETER, `$1${HIDDEN}`)

/** Stands for what is hidden. */
const HIDDEN = '***'

/** Whether a secret of it was hidden. */
export const isHidden = (text: string): boolean => text.includes(`://${HIDDEN}@`) || text.includes(`=${HIDDEN}`)
