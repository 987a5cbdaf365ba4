import { useState } from 'preact/hooks'
import type { ActionProps } from './actions.tsx'

/** Any device of the cluster; asked twice, since it must be started again where it stands. */
export const Drain = ({ state, act }: ActionProps) => {
  const there = state.devices.filter(device => device.state === 'running')
  const [chosen, choose] = useState('')
  const [isSure, setSure] = useState(false)
  const device = there.find(({ id }) => id === chosen) ?? there[0]
  if (device === undefined) return null
  const drain = (): void => {
    setSure(false)
    void act('drain', { device: device.id }, `${device.name} drains: it leaves once others carry its blocks.`)
  }
  return (
    <div class="action">
      <span class="field">
        <label for="drain">Drain a device</label>
        <select id="drain" value={device.id} onChange={event => choose(event.currentTarget.value)}>
          {there.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </span>
      {isSure ? (
        <>
          <span>
            {device.name} leaves once others carry its blocks, and its sources end. It must be started again where it
            stands.
          </span>
          <button type="button" class="danger" onClick={drain}>
            Drain {device.name}
          </button>
          <button type="button" onClick={() => setSure(false)}>
            Keep it
          </button>
        </>
      ) : (
        <button type="button" onClick={() => setSure(true)}>
          Drain …
        </button>
      )}
    </div>
  )
}
