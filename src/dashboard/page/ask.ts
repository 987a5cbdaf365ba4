import { token } from './token.ts'

/** Asks the node, with its token. @param path without a leading slash, so that the page works below a prefix too */
export const ask = (path: string, init: RequestInit = {}): Promise<Response> => {
  const headers = new Headers(init.headers)
  if (token.get() !== '') headers.set('authorization', `Bearer ${token.get()}`)
  return fetch(path, { cache: 'no-store', ...init, headers })
}
