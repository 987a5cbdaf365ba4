import { render } from 'preact'
import type { StatusChange } from '../status-feed.ts'
import { App } from './app.tsx'
import { type ClusterState, StateKeeper } from './cluster-state.ts'
import { type Connection, connect } from './connect.ts'
import { token } from './token.ts'

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

const giveToken = (text: string): void => {
  token.set(text)
  connection = 'connecting'
  show()
  begin()
}

show()
begin()
