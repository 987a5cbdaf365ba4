/** The block is not loaded here, or no longer: the datum goes where it is, and nobody has failed. */
export class NotHeldError extends Error {
  override readonly name = 'NotHeldError'
}
