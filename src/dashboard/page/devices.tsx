import type { LostDevice } from '../view/lost-devices.ts'
import type { ClusterState, DeviceFacts } from './cluster-state.ts'
import { Table } from './table.tsx'
import { bytesText, clockText, rangesText, rateText, timeText } from './words.ts'

const Bar = ({ share, words }: { readonly share: number; readonly words: string }) => (
  <span class="bar">
    <span class="fill" style={{ width: `${Math.round(100 * Math.min(1, share))}%` }} />
    <span class="words">{words}</span>
  </span>
)

interface DevicesProps {
  readonly state: ClusterState
  readonly chosen: string | undefined
  readonly lost: readonly LostDevice[]
}

export const Devices = ({ state, chosen, lost }: DevicesProps) => (
  <Table
    kind="stacks"
    caption="Devices"
    heads={['Device', 'Computes', 'Waiting', 'Carries', 'Memory', 'Sends', 'State']}
  >
    {state.devices.map(device => (
      <DeviceRow key={device.id} device={device} state={state} isChosen={chosen === device.name} />
    ))}
    {lost.map(({ name, since }) => (
      <tr key={`lost ${name}`} class="gone">
        <th scope="row">{name}</th>
        <td colSpan={6}>lost at {clockText(since)}, and not back</td>
      </tr>
    ))}
  </Table>
)

interface DeviceRowProps {
  readonly device: DeviceFacts
  readonly state: ClusterState
  readonly isChosen: boolean
}

const DeviceRow = ({ device, state, isChosen }: DeviceRowProps) => {
  const { name, busy, queue, models, memory, speed, emulated, troubles, because } = device
  const carried = Object.entries(models)
  const bytes = carried.reduce((sum, [, { residentBytes }]) => sum + residentBytes, 0)
  const sent = state.flows.filter(({ from }) => from === name).reduce((sum, flow) => sum + flow.bytesPerSecond, 0)
  const waiting = queue.lane + queue.links + queue.waiting
  return (
    <tr class={`${isChosen ? 'chosen' : ''} ${troubles.length > 0 || device.state === 'failed' ? 'wrong' : ''}`}>
      <th scope="row">
        {name}
        <small>
          speed {speed.toPrecision(2)}
          {emulated ? ', emulated' : ''}
        </small>
      </th>
      <td>
        <Bar share={busy} words={`${Math.round(100 * busy)} %`} />
      </td>
      <td class="number" data-head="Waiting">
        {waiting}
        {queue.waiting > 0 && <small>{queue.waiting} for a block</small>}
      </td>
      <td data-head="Carries">
        {carried.length === 0
          ? '–'
          : carried.map(([model, { blocks }]) => <div key={model}>{`${model} ${rangesText(blocks)}`}</div>)}
      </td>
      <td class="number" data-head="Memory">
        {bytesText(bytes)}
        {memory !== null && <small>of {bytesText(memory)}</small>}
      </td>
      <td class="number" data-head="Sends">
        {rateText(sent)}
      </td>
      <td data-head="State">
        {device.state}
        {[because, ...troubles, ...lateness(device)]
          .filter(text => text !== '')
          .map(text => (
            <small key={text}>{text}</small>
          ))}
      </td>
    </tr>
  )
}

/** Shares and seconds from which on somebody should know. */
const LATE = 0.05
const TICK_LATE = 0.02

/** What another program on the machine costs, since the device was started. */
const lateness = ({ lateSeconds, busySeconds, tickLateness, ticks }: DeviceFacts): readonly string[] => [
  ...(busySeconds > 0 && lateSeconds > LATE * busySeconds
    ? [`blocks late: ${Math.round((100 * lateSeconds) / busySeconds)} % of its time`]
    : []),
  ...(ticks > 0 && tickLateness > TICK_LATE * ticks
    ? [`${timeText(tickLateness / ticks)} late at what it does: its machine is busy`]
    : [])
]
