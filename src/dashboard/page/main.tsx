import { render } from 'preact'
import type { StatusChange } from '../status-feed.ts'
import { App } from './app.tsx'
import { type ClusterState, StateKeeper } from './cluster-state.ts'
import { type Connection, connect } from './connect.ts'

const KEPT = 'tributary-token'

let keeper = new StateKeeper()
let state: ClusterState | undefined
let connection: Connection = 'connecting'
let isDue = false

/** Once for all that came in the meantime, before the screen is drawn. */
const show = (): void => {
  if (isDue) return
  isDue = true
  requestAnimationFrame(() => {
    isDue = false
    render(<App state={state} connection={connection} giveToken={giveToken} />, document.getElementById('app')!)
  })
}

const begin = (): void => {
  void connect({
    token: () => sessionStorage.getItem(KEPT) ?? '',
    onBegin: () => {
      keeper = new StateKeeper()
    },
    onChange: (change: StatusChange) => {
      state = keeper.take(change) ?? state
      show()
    },
    onConnection: now => {
      connection = now
      show()
    }
  })
}

const giveToken = (token: string): void => {
  sessionStorage.setItem(KEPT, token)
  connection = 'connecting'
  show()
  begin()
}

show()
begin()
