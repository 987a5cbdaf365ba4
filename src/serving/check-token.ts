import { createHash, timingSafeEqual } from 'node:crypto'
import { ServingError } from './serving-error.ts'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/**
 * Refuses whoever does not bring the token; takes as long whatever is brought.
 * @param token undefined: everybody is let in
 */
export const createTokenCheck = (token: string | undefined): ((authorization: string | undefined) => void) => {
  if (token === undefined) return () => {}
  const wanted = digest(`Bearer ${token}`)
  return authorization => {
    const given = (authorization ?? '').replace(/^bearer /i, 'Bearer ')
    if (timingSafeEqual(digest(given), wanted)) return
    throw new ServingError(
      'badToken',
      authorization === undefined ? 'a bearer token is needed' : 'the bearer token is wrong'
    )
  }
}
