import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ClusterState } from './cluster-state.ts'
import type { Connection } from './connect.ts'
import { useView } from './use-view.ts'
import { VIEWS, type View } from './views.tsx'
import { perSecondText } from './words.ts'

export interface AppProps {
  readonly state: ClusterState | undefined
  readonly connection: Connection
  readonly giveToken: (token: string) => void
}

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  connecting: 'connecting …',
  live: 'live',
  lost: 'lost, trying again …',
  token: 'a token is needed',
  wrongToken: 'wrong token'
}

export const App = ({ state, connection, giveToken }: AppProps) => {
  const view = useView()
  const isAsked = connection === 'token' || connection === 'wrongToken'
  return (
    <>
      <header>
        <h1>Tributary</h1>
        {state !== undefined && <Totals state={state} />}
        <p class={`connection ${connection}`} role="status">
          {CONNECTIONS[connection]}
        </p>
        {state !== undefined && !isAsked && <Navigation shown={view} />}
      </header>
      <main>
        {isAsked && <TokenForm isWrong={connection === 'wrongToken'} giveToken={giveToken} />}
        {state !== undefined && !isAsked && (
          <Shown key={view.path} view={view} state={state} isOld={connection !== 'live'} />
        )}
      </main>
    </>
  )
}

const Navigation = ({ shown }: { readonly shown: View }) => (
  <nav aria-label="Views">
    {VIEWS.map(({ path, title }) => (
      <a key={path} href={`#${path}`} aria-current={path === shown.path ? 'page' : undefined}>
        {title}
      </a>
    ))}
  </nav>
)

interface ShownProps {
  readonly view: View
  readonly state: ClusterState
  readonly isOld: boolean
}

/** Who goes to another view by a keyboard or hears the page is brought to its heading. */
const Shown = ({ view, state, isOld }: ShownProps) => {
  const heading = useRef<HTMLHeadingElement>(null)
  useLayoutEffect(() => {
    document.title = `${view.title} of ${state.answeredBy} – Tributary`
    if (location.hash !== '') heading.current?.focus()
  }, [])
  return (
    <div class={isOld ? 'old' : ''}>
      <h2 ref={heading} tabIndex={-1}>
        {view.title}
      </h2>
      <view.Content state={state} />
    </div>
  )
}

const Totals = ({ state }: { readonly state: ClusterState }) => {
  const rate = state.sources.reduce((sum, source) => sum + source.rate, 0)
  return (
    <dl class="totals">
      <div>
        <dt>devices</dt>
        <dd>{state.devices.length}</dd>
      </div>
      <div>
        <dt>sources</dt>
        <dd>{state.sources.length}</dd>
      </div>
      <div>
        <dt>results/s</dt>
        <dd>{perSecondText(rate)}</dd>
      </div>
      <div>
        <dt>seen from</dt>
        <dd>{state.answeredBy}</dd>
      </div>
    </dl>
  )
}

interface TokenFormProps {
  readonly isWrong: boolean
  readonly giveToken: (token: string) => void
}

const TokenForm = ({ isWrong, giveToken }: TokenFormProps) => {
  const [token, setToken] = useState('')
  return (
    <form
      class="token"
      onSubmit={event => {
        event.preventDefault()
        giveToken(token.trim())
      }}
    >
      <h2>A cluster of devices, live</h2>
      <p>This page shows which devices compute what, what limits them, and what comes of their data.</p>
      {isWrong && (
        <p class="wrong" role="alert">
          Wrong token: the node does not know it.
        </p>
      )}
      <label for="token">This node asks for its token (the content of its token file):</label>
      <input
        id="token"
        type="password"
        autocomplete="off"
        value={token}
        onInput={event => setToken(event.currentTarget.value)}
      />
      <button type="submit">Look</button>
    </form>
  )
}
