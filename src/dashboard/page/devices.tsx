import type { ClusterState, DeviceFacts } from './cluster-state.ts'
import { Table } from './table.tsx'
import { bytesText, rangesText, rateText } from './words.ts'

const Bar = ({ share, words }: { readonly share: number; readonly words: string }) => (
  <span class="bar">
    <span class="fill" style={{ width: `${Math.round(100 * Math.min(1, share))}%` }} />
    <span class="words">{words}</span>
  </span>
)

export const Devices = ({ state, chosen }: { readonly state: ClusterState; readonly chosen: string | undefined }) => (
  <Table caption="Devices" heads={['Device', 'Computes', 'Waiting', 'Carries', 'Memory', 'Sends', 'State']}>
    {state.devices.map(device => (
      <DeviceRow key={device.id} device={device} state={state} isChosen={chosen === device.name} />
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
      <td class="number">
        {waiting}
        {queue.waiting > 0 && <small>{queue.waiting} for a block</small>}
      </td>
      <td>
        {carried.length === 0
          ? '–'
          : carried.map(([model, { blocks }]) => <div key={model}>{`${model} ${rangesText(blocks)}`}</div>)}
      </td>
      <td class="number">
        {bytesText(bytes)}
        {memory !== null && <small>of {bytesText(memory)}</small>}
      </td>
      <td class="number">{rateText(sent)}</td>
      <td>
        {device.state}
        {[because, ...troubles]
          .filter(text => text !== '')
          .map(text => (
            <small key={text}>{text}</small>
          ))}
      </td>
    </tr>
  )
}
