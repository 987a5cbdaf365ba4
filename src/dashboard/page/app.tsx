import { useState } from 'preact/hooks'
import { whatLimits } from '../view/what-limits.ts'
import type { ClusterState } from './cluster-state.ts'
import type { Connection } from './connect.ts'
import { Devices, Events, Placement, Sources } from './tables.tsx'
import { Topology } from './topology.tsx'
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
  token: 'a token is needed'
}

export const App = ({ state, connection, giveToken }: AppProps) => (
  <>
    <header>
      <h1>Tributary</h1>
      {state !== undefined && <Totals state={state} />}
      <p class={`connection ${connection}`} role="status">
        {CONNECTIONS[connection]}
      </p>
    </header>
    <main>
      {connection === 'token' && <TokenForm giveToken={giveToken} />}
      {state !== undefined && connection !== 'token' && <Cluster state={state} isOld={connection !== 'live'} />}
    </main>
  </>
)

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

const Cluster = ({ state, isOld }: { readonly state: ClusterState; readonly isOld: boolean }) => {
  const [chosen, setChosen] = useState<string>()
  const limit = whatLimits(state, state.flows)
  return (
    <div class={isOld ? 'old' : ''}>
      <section class={`limit ${limit.kind}`} aria-label="What limits the cluster now" role="status">
        <strong>{limit.headline}</strong> <span>{limit.advice}</span>
      </section>
      {state.differences.map(text => (
        <p key={text} class="wrong">
          {text}
        </p>
      ))}
      <div class="columns">
        <section>
          <h2>Cluster</h2>
          <Topology
            state={state}
            limit={limit}
            chosen={chosen}
            choose={name => setChosen(name === chosen ? undefined : name)}
          />
          <p class="note">
            A ring is the share of the time in which a device computes, a line what flows. ★ plans. Amber limits the
            whole.
          </p>
        </section>
        <section>
          <h2>Sources</h2>
          <Sources state={state} />
          <h2>Placement</h2>
          <Placement state={state} />
        </section>
      </div>
      <h2>Devices</h2>
      <Devices state={state} chosen={chosen} />
      <h2>Events of {state.answeredBy}</h2>
      <Events state={state} />
    </div>
  )
}

const TokenForm = ({ giveToken }: { readonly giveToken: (token: string) => void }) => {
  const [token, setToken] = useState('')
  return (
    <form
      class="token"
      onSubmit={event => {
        event.preventDefault()
        giveToken(token.trim())
      }}
    >
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
