import { useState } from 'preact/hooks'
import { post } from '../post.ts'

interface Shown {
  readonly invite: string
  /** SVG. */
  readonly picture: string
}

/** Fetched when it is asked for, and forgotten when it is hidden: whoever sees it can join. */
export const Invite = () => {
  const [shown, show] = useState<Shown>()
  const [because, setBecause] = useState('')
  const ask = async (): Promise<void> => {
    try {
      show(await post<Shown>('api/actions/invite', {}))
      setBecause('')
    } catch (error) {
      setBecause((error as Error).message)
    }
  }
  return (
    <div class="action">
      <button type="button" aria-expanded={shown !== undefined} onClick={() => (shown ? show(undefined) : void ask())}>
        {shown === undefined ? 'Show the invite' : 'Hide the invite'}
      </button>
      {because !== '' && <span class="wrong">{because}</span>}
      {shown !== undefined && (
        <figure class="invite">
          <img alt="The invite as a QR code" src={`data:image/svg+xml,${encodeURIComponent(shown.picture)}`} />
          <figcaption>
            Whoever has it is in: treat it as a password.
            <code>{shown.invite}</code>
          </figcaption>
        </figure>
      )}
    </div>
  )
}
