import type { ComponentChildren } from 'preact'
import type { ClusterState, DeviceFacts, SourceFacts } from './cluster-state.ts'
import { bytesText, clockText, perSecondText, rangesText, rateText, timeText } from './words.ts'

interface TableProps {
  readonly caption: string
  readonly heads: readonly string[]
  readonly children: ComponentChildren
}

/** Wide ones are moved within themselves, by a keyboard too. */
const Table = ({ caption, heads, children }: TableProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what is wider than the screen is reached by the arrows
  <section class="scrolls" tabIndex={0} aria-label={caption}>
    <table>
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          {heads.map(head => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </section>
)

const Bar = ({ share, words }: { readonly share: number; readonly words: string }) => (
  <span class="bar">
    <span class="fill" style={{ width: `${Math.round(100 * Math.min(1, share))}%` }} />
    <span class="words">{words}</span>
  </span>
)

const SPARK = { width: 120, height: 24 }

const Spark = ({ values }: { readonly values: readonly number[] }) => {
  const most = Math.max(...values, 1e-9)
  const points = values.map((value, i) => {
    const x = (i / Math.max(1, values.length - 1)) * SPARK.width
    return `${x.toFixed(1)},${(SPARK.height - 2 - (value / most) * (SPARK.height - 4)).toFixed(1)}`
  })
  return (
    <svg class="spark" viewBox={`0 0 ${SPARK.width} ${SPARK.height}`} aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  )
}

export const Sources = ({ state }: { readonly state: ClusterState }) => {
  if (state.sources.length === 0) return <p class="empty">No device has a source.</p>
  const heads = ['Source', 'State', 'Results/s', 'Inference time', 'Data']
  return (
    <Table caption="Sources" heads={heads}>
      {state.sources.map(source => (
        <SourceRow key={`${source.name}@${source.device}`} source={source} state={state} />
      ))}
    </Table>
  )
}

const SourceRow = ({ source, state }: { readonly source: SourceFacts; readonly state: ClusterState }) => {
  const { name, device, model, because, rate, inferenceTime, inFlight, completed, dropped, failed } = source
  return (
    <tr class={source.state === 'failed' ? 'wrong' : ''}>
      <th scope="row">
        {name}
        <small>
          {device}, {model}
        </small>
      </th>
      <td>
        {source.state}
        {because !== '' && <small>{because}</small>}
      </td>
      <td class="number">
        {perSecondText(rate)}
        <Spark values={state.rates.get(`${name}@${device}`) ?? []} />
      </td>
      <td class="number">
        {timeText(inferenceTime.p50)}
        <small>95 %: {timeText(inferenceTime.p95)}</small>
      </td>
      <td class="number">
        {completed} done
        <small>
          {inFlight} in flight, {dropped} dropped, <span class={failed > 0 ? 'wrong' : ''}>{failed} failed</span>
        </small>
      </td>
    </tr>
  )
}

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

/** By model: which device carries which of its blocks. */
export const Placement = ({ state }: { readonly state: ClusterState }) => {
  const { models, epoch, ready, unplaced } = state.placement
  const names = Object.keys(models)
  if (names.length === 0) return <p class="empty">Nothing is placed yet.</p>
  return (
    <>
      <p class="note">
        Placement {epoch}
        {ready ? ', loaded everywhere' : ', being loaded'}; planned by {state.planner ?? 'nobody'}.
      </p>
      {names.map(model => (
        <Grid key={model} model={model} placed={models[model]!} />
      ))}
      {unplaced.map(({ model, block, because }) => (
        <p key={`${model} ${block}`} class="wrong">
          Block {block} of {model}: {because}
        </p>
      ))}
    </>
  )
}

interface GridProps {
  readonly model: string
  readonly placed: Readonly<Record<string, readonly number[]>>
}

const Grid = ({ model, placed }: GridProps) => {
  const last = Math.max(...Object.values(placed).flat(), 0)
  const blocks = Array.from({ length: last + 1 }, (_, block) => block)
  return (
    <Table caption={`Blocks of ${model}`} heads={[model, ...blocks.map(String)]}>
      {Object.entries(placed).map(([device, carried]) => (
        <tr key={device}>
          <th scope="row">{device}</th>
          {blocks.map(block => (
            <td key={block} class={carried.includes(block) ? 'carried' : 'not'}>
              <span class="hidden">{carried.includes(block) ? 'carried' : 'not carried'}</span>
            </td>
          ))}
        </tr>
      ))}
    </Table>
  )
}

export const Events = ({ state }: { readonly state: ClusterState }) => {
  if (state.lines.length === 0) return <p class="empty">Nothing has happened since this page was opened.</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved by the arrows
    <ol class="events" aria-live="polite" aria-label="Events" tabIndex={0}>
      {[...state.lines].reverse().map(({ number, time, level, text }) => (
        <li key={number} class={level}>
          <time>{clockText(time)}</time>
          {level !== 'info' && <strong>{level}</strong>}
          <span>{text}</span>
        </li>
      ))}
    </ol>
  )
}
