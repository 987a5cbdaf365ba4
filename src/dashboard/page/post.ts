import { ask } from './ask.ts'

/** Asks the node to do something. @throws Error with what it says against it */
export const post = async <T>(path: string, body: unknown): Promise<T> => {
  const answer = await ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  const said = (await answer.json().catch(() => ({}))) as T & { readonly error?: string }
  if (!answer.ok) throw new Error(said.error ?? `the node answered ${answer.status}`)
  return said
}
